/** Writes a planned answer as a stream of events, at the asked pace and with the asked fault. */
import type { ServerResponse } from 'node:http'
import { chunks, type PlannedChat, usageAfter } from './answers.ts'
import type { Directives } from './faults.ts'
import type { Meter } from './meter.ts'
import { errorEvent } from './refusals.ts'

const HEAD = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' }

/** Faults that end a stream early: nothing that comes after them is billed. */
type StreamEnd = 'hang' | 'cut' | 'eof' | 'done'

export function sendStream(
  response: ServerResponse,
  plan: PlannedChat,
  includeUsage: boolean,
  directives: Directives,
  meter: Meter,
): void {
  new StreamSender(response, plan, includeUsage, directives, meter).start()
}

class StreamSender {
  readonly #response: ServerResponse
  readonly #plan: PlannedChat
  readonly #directives: Directives
  readonly #meter: Meter
  readonly #events: Generator<string>
  readonly #ending: string
  #sent = 0
  #settled = false
  #timer: NodeJS.Timeout | undefined

  constructor(
    response: ServerResponse,
    plan: PlannedChat,
    includeUsage: boolean,
    directives: Directives,
    meter: Meter,
  ) {
    this.#response = response
    this.#plan = plan
    this.#directives = directives
    this.#meter = meter
    this.#events = chunks(plan, includeUsage, directives.fault)
    this.#ending = directives.fault === 'crlf' ? '\r\n' : '\n'
  }

  start(): void {
    this.#response.on('close', this.#left)
    this.#response.writeHead(200, { ...HEAD, 'x-request-id': this.#plan.id })
    if (this.#plan.flavour === 'openrouter' || this.#directives.fault === 'comments') {
      this.#response.write(`: OPENROUTER PROCESSING${this.#ending}${this.#ending}`)
    }
    if (this.#directives.fault === 'error-first') {
      this.#response.write(this.#event(errorEvent(this.#plan.flavour)))
      this.#end('eof')
      return
    }
    this.#step()
  }

  #step = (): void => {
    this.#timer = undefined
    if (this.#settled) return
    let piece = ''
    for (let count = 0; count < this.#directives.eventsPerWrite; count++) {
      const faulty = this.#sent >= this.#directives.faultAfter ? this.#brokenEnd() : undefined
      if (faulty !== undefined) {
        this.#write(piece + faulty.last, () => this.#end(faulty.end))
        return
      }
      const next = this.#events.next()
      if (next.done === true) {
        const done = this.#directives.fault === 'no-done' ? '' : this.#event('[DONE]')
        this.#write(piece + done, () => this.#end('done'))
        return
      }
      this.#sent += 1
      piece += this.#event(next.value)
    }
    this.#write(piece, this.#later)
  }

  #later = (): void => {
    const delayMs = this.#directives.delayMs * this.#directives.eventsPerWrite
    if (delayMs > 0) this.#timer = setTimeout(this.#step, delayMs)
    else setImmediate(this.#step)
  }

  #event(data: string): string {
    return `data: ${data}${this.#ending}${this.#ending}`
  }

  #brokenEnd(): { last: string; end: StreamEnd } | undefined {
    switch (this.#directives.fault) {
      case 'hang-mid':
        return { last: '', end: 'hang' }
      case 'cut':
        return { last: 'data: {"id":"half an ev', end: 'cut' }
      case 'eof':
        return { last: '', end: 'eof' }
      case 'malformed':
        return { last: this.#event('{"id":"broken","choices":[{"index":0,'), end: 'eof' }
      case 'error-event':
        return { last: this.#event(errorEvent(this.#plan.flavour)), end: 'eof' }
      case 'finish-error':
        return {
          last: this.#event('{"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"error"}]}'),
          end: 'eof',
        }
      default:
        return undefined
    }
  }

  #write(text: string, then: () => void): void {
    if (text === '') {
      then()
      return
    }
    if (this.#directives.fault === 'drip') {
      this.#drip(Buffer.from(text), 0, then)
      return
    }
    if (this.#directives.fault === 'split-utf8') {
      this.#writeSplit(Buffer.from(text), then)
      return
    }
    if (this.#response.write(text)) then()
    else this.#response.once('drain', then)
  }

  #drip(bytes: Buffer, at: number, then: () => void): void {
    if (this.#settled) return
    if (at === bytes.length) {
      then()
      return
    }
    this.#response.write(bytes.subarray(at, at + 1))
    setImmediate(() => this.#drip(bytes, at + 1, then))
  }

  /** Cuts behind the first byte of a character of several bytes. */
  #writeSplit(bytes: Buffer, then: () => void): void {
    const lead = bytes.findIndex(byte => byte >= 0xc0)
    if (lead < 0) {
      this.#response.write(bytes)
      then()
      return
    }
    this.#response.write(bytes.subarray(0, lead + 1))
    this.#timer = setTimeout(() => {
      this.#response.write(bytes.subarray(lead + 1))
      then()
    }, 2)
  }

  #end(how: StreamEnd): void {
    if (how === 'hang') return
    this.#settle(how === 'done' ? 'completed' : 'failed')
    if (how === 'cut') this.#response.socket?.destroy()
    else this.#response.end()
  }

  #left = (): void => this.#settle('aborted')

  #settle(outcome: 'completed' | 'aborted' | 'failed'): void {
    if (this.#settled) return
    this.#settled = true
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    const { id, model, usage, choices, pieces } = this.#plan
    const generated = Math.min(Math.max(0, this.#sent - choices), pieces.length * choices)
    const used = outcome === 'completed' ? usage : usageAfter(this.#plan, generated)
    this.#meter.record(id, model, true, outcome, used)
  }
}
