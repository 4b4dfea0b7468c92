/** The structured log: one JSON object a line, written without waiting for the disk or the pipe. */
import { type DestinationStream, destination, pino } from 'pino'
import type { AccessEntry } from '#spec/access-entry.ts'
import type { Logger } from '#spec/ports.ts'
import { accessLine } from './access-line.ts'
import { describeError } from './describe-error.ts'
import { scrubSecrets } from './scrub.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface LoggerOptions {
  readonly level: LogLevel
  /** A file descriptor (1 is standard output), a file's path, or any object that takes lines. */
  readonly destination?: number | string | DestinationStream | undefined
  /** Fields of every line, such as the node's id. */
  readonly base?: Readonly<Record<string, unknown>> | undefined
}

/** The log and its end. */
export interface OwnedLogger extends Logger {
  /** One line of the access log, at `info`. */
  access(entry: AccessEntry): void
  /** Writes what is buffered. Call it before the process ends, or up to a second of lines is lost. */
  flush(): void
  /** Writes everything, returns when it is written, and stops the timer that flushes each second. */
  close(): void
}

const BUFFER_CHARS = 16_384
const FLUSH_EVERY_MS = 1_000

/**
 * Makes the log. Lines are buffered and written when 16 KiB are ready or a second has passed, at once for warnings and
 * errors. Fields named `err`, `error` or `cause` are described by `describeError`; every finished line passes `scrubSecrets`.
 */
export function createLogger(options: LoggerOptions): OwnedLogger {
  const sink = openSink(options.destination ?? 1)
  const isoTime = createIsoTime()
  const log = pino(
    {
      level: options.level,
      base: options.base ?? null,
      timestamp: () => `,"time":"${isoTime()}"`,
      formatters: { level: label => ({ level: label }) },
      serializers: { err: describeError, error: describeError, cause: describeError },
      messageKey: 'event',
    },
    { write: line => sink.write(scrubSecrets(line)) },
  )
  const logsInfo = log.isLevelEnabled('info')
  const flusher = setInterval(sink.flush, FLUSH_EVERY_MS)
  flusher.unref()
  return {
    debug: (fields, event) => log.debug(fields, event),
    info: (fields, event) => log.info(fields, event),
    warn(fields, event) {
      log.warn(fields, event)
      sink.flush()
    },
    error(fields, event) {
      log.error(fields, event)
      sink.flush()
    },
    access(entry) {
      if (logsInfo) sink.write(accessLine(entry, isoTime()))
    },
    flush: sink.flush,
    close() {
      clearInterval(flusher)
      sink.end()
    },
  }
}

/** The time as ISO 8601, written anew only when the millisecond changes. */
function createIsoTime(): () => string {
  let lastMs = 0
  let last = ''
  return () => {
    const nowMs = Date.now()
    if (nowMs !== lastMs) {
      lastMs = nowMs
      last = new Date(nowMs).toISOString()
    }
    return last
  }
}

interface Sink {
  write(line: string): void
  flush(): void
  /** Flushes, and returns when everything is written. */
  end(): void
}

function nothing(): void {}

function openSink(target: number | string | DestinationStream): Sink {
  if (typeof target === 'object') return { write: line => target.write(line), flush: nothing, end: nothing }
  const file = destination({ dest: target, sync: false, mkdir: true })
  // A closed pipe or a full disk must cost log lines, never the process.
  file.on('error', () => undefined)
  let pending = ''
  const flush = () => {
    if (pending === '') return
    file.write(pending)
    pending = ''
  }
  return {
    // Gathered here and not there: pino's destination measures its whole buffer again for every line.
    write(line) {
      pending += line
      if (pending.length >= BUFFER_CHARS) flush()
    },
    flush,
    end() {
      flush()
      file.flushSync()
    },
  }
}
