/**
 * Server-sent events (WHATWG HTML §9.2) as bytes. An event ends at a blank line; lines end with LF, CRLF or CR.
 * Cutting a stream into whole events never decodes it, so a character split over two reads stays split in peace.
 */

const LF = 0x0a
const CR = 0x0d

/** An event that never ends. The stream is of no further use. */
export class SseEventTooLong extends Error {
  constructor(maxEventBytes: number) {
    super(`an event of the stream is longer than ${maxEventBytes} bytes`)
    this.name = 'SseEventTooLong'
  }
}

/** Where in a line ending the bytes seen so far stop. */
type LineState =
  /** Within a line. */
  | 'text'
  /** After an LF or CRLF: the next line begins. */
  | 'line'
  /** After a CR that ended a line; an LF still belongs to it. */
  | 'cr'
  /** After the CR of a blank line; an LF still belongs to it. */
  | 'blank-cr'

const NOTHING = Buffer.alloc(0)

/**
 * Collects reads and gives back whole events. Everything given back, in order, followed by `rest()`, is exactly
 * what was pushed; where the reads were cut makes no difference to where an event ends.
 */
export class SseSplitter {
  readonly #maxEventBytes: number
  #carried: Buffer[] = []
  #carriedBytes = 0
  #state: LineState = 'line'

  constructor(maxEventBytes = 1024 * 1024) {
    this.#maxEventBytes = maxEventBytes
  }

  /**
   * The bytes of every event that is whole now, as one piece (empty where none is): a view of the chunk where
   * nothing was carried over. Throws SseEventTooLong.
   */
  push(chunk: Buffer): Buffer {
    const end = this.#endOfLastEvent(chunk)
    if (end < 0) {
      this.#carry(chunk)
      return NOTHING
    }
    const head = chunk.subarray(0, end)
    const whole = this.#carriedBytes === 0 ? head : Buffer.concat([...this.#carried, head])
    this.#carried = []
    this.#carriedBytes = 0
    this.#carry(chunk.subarray(end))
    return whole
  }

  /** What is left when the stream has ended: empty, or an event without its blank line. */
  rest(): Buffer {
    return this.#carried.length === 0 ? NOTHING : Buffer.concat(this.#carried)
  }

  #carry(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#carried.push(bytes)
    this.#carriedBytes += bytes.length
    if (this.#carriedBytes > this.#maxEventBytes) throw new SseEventTooLong(this.#maxEventBytes)
  }

  #endOfLastEvent(chunk: Buffer): number {
    const { length } = chunk
    // Most reads end with a blank line, and then nothing needs to be searched.
    if (length > 1 && chunk[length - 1] === LF && chunk[length - 2] === LF) {
      this.#state = 'line'
      return length
    }
    const plain = (this.#state === 'text' || this.#state === 'line') && !chunk.includes(CR)
    return plain ? this.#endWithLfOnly(chunk) : this.#endWithAnyEnding(chunk)
  }

  /** The ordinary case, by native searches. */
  #endWithLfOnly(chunk: Buffer): number {
    if (chunk.length === 0) return -1
    const found = chunk.lastIndexOf('\n\n')
    const blankFirst = this.#state === 'line' && chunk[0] === LF
    this.#state = chunk[chunk.length - 1] === LF ? 'line' : 'text'
    if (found >= 0) return found + 2
    return blankFirst ? 1 : -1
  }

  #endWithAnyEnding(chunk: Buffer): number {
    let last = -1
    this.#state = scanLines(chunk, this.#state, end => {
      last = end
    })
    return last
  }
}

/** Walks the bytes, telling where each blank line ends, and gives the state after them. */
function scanLines(bytes: Buffer, from: LineState, onBlankLine: (end: number) => void): LineState {
  let state = from
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (state === 'blank-cr') {
      // The blank line is over: with this LF, or before whatever else came.
      onBlankLine(byte === LF ? at + 1 : at)
      state = 'line'
      if (byte === LF) continue
    }
    if (byte === LF) {
      if (state === 'line') onBlankLine(at + 1)
      state = 'line'
    } else if (byte === CR) {
      state = state === 'text' ? 'cr' : 'blank-cr'
    } else {
      state = 'text'
    }
  }
  return state
}

/** One event, decoded. */
export interface SseEvent {
  /** `undefined` where the event names no type. */
  readonly event: string | undefined
  /** The `data` lines, joined with LF; `undefined` where there was none (a comment, or nothing). */
  readonly data: string | undefined
}

/** Reads one event as UTF-8: comments, `id` and `retry` are passed over. */
export function parseSseEvent(bytes: Buffer | string): SseEvent {
  const decoded = typeof bytes === 'string' ? bytes : bytes.toString('utf8')
  const text = decoded.startsWith('\ufeff') ? decoded.slice(1) : decoded
  let event: string | undefined
  let data: string | undefined
  for (const line of text.split(/\r\n|\r|\n/)) {
    const colon = line.indexOf(':')
    if (colon === 0) continue
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') data = data === undefined ? value : `${data}\n${value}`
    else if (field === 'event') event = value
  }
  return { event, data }
}

/** Where each event of a region of whole events ends (offsets one past its blank line), the last at its length. */
export function sseEventEnds(region: Buffer): number[] {
  const ends: number[] = []
  scanLines(region, 'line', end => ends.push(end))
  if (region.length > 0 && ends.at(-1) !== region.length) ends.push(region.length)
  return ends
}
