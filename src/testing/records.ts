/** What a gateway of a test logged, counted and passed; and what of it should not be there. */
import { getEventListeners } from 'node:events'
import type { CallEnded, Events, UpstreamCalled } from '#spec/events.ts'
import type { CrashPoint, Logger } from '#spec/ports.ts'
import type { TestCall } from './test-client.ts'

/** Text that no log may hold: it is in every prompt of `payer.ts`. */
export const PROMPT_MARK = 'the-secret-prompt'

export interface LogLine {
  readonly level: keyof Logger
  readonly event: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface Recorded {
  /** Names of the crash points that were passed, in order. */
  readonly passed: Parameters<CrashPoint>[0][]
  readonly ended: CallEnded[]
  readonly upstream: UpstreamCalled[]
  readonly refused: string[]
  readonly opened: { provider: string; upstreamModel: string }[]
  readonly logged: LogLine[]
}

export type Records = ReturnType<typeof createRecords>

/** An empty record, and the ports that fill it. */
export function createRecords() {
  const logged: LogLine[] = []
  const ended: CallEnded[] = []
  const upstream: UpstreamCalled[] = []
  const refused: string[] = []
  const opened: { provider: string; upstreamModel: string }[] = []
  const passed: Parameters<CrashPoint>[0][] = []
  const at = (level: keyof Logger) => (fields: LogLine['fields'], event: string) => {
    logged.push({ level, fields, event })
  }
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const events: Events = {
    callEnded: event => ended.push(event),
    upstreamCalled: event => upstream.push(event),
    callRefused: ({ code }) => refused.push(code),
    circuitOpened: event => opened.push(event),
    callbackTried: () => {},
  }
  return { logged, ended, upstream, refused, opened, passed, logger, events }
}

export function listenerProblems(calls: readonly TestCall[], stopping: AbortSignal): string[] {
  const onCalls = calls.filter(call => getEventListeners(call.signal, 'abort').length > 0)
  const onStopping = getEventListeners(stopping, 'abort').length
  return [
    ...onCalls.map(call => `the call ${call.requestId} left a listener on its signal`),
    ...(onStopping > 0 ? [`${onStopping} listeners are left on the gateway's signal`] : []),
  ]
}

export function logProblems(logged: readonly LogLine[]): string[] {
  return logged
    .filter(line => textOf(line).includes(PROMPT_MARK))
    .map(line => `a prompt was logged: ${line.event}`)
}

function textOf(line: LogLine): string {
  return JSON.stringify(line, (_key, value: unknown) => {
    if (typeof value === 'bigint') return String(value)
    return value instanceof Error ? `${value.message} ${value.stack}` : value
  })
}
