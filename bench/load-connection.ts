/** One client connection: sends a request, reads its answer to the end, sends the next, until it is told to finish. */
import { connect, type Socket } from 'node:net'
import type { Measures } from './load-measures.ts'
import { ResponseReader } from './response-reader.ts'
import { machineMicroseconds, TIME_DIGITS, TIME_MARK } from './upstream-answers.ts'

export class LoadConnection {
  readonly #requests: readonly Buffer[]
  readonly #streamed: boolean
  readonly #measures: Measures
  readonly #socket: Socket
  readonly #finished = Promise.withResolvers<void>()
  #next: number
  #sentAtMs = 0
  #waiting = false
  #finishing = false
  #started = false
  #sawDone = false
  /** An event that has not come whole. */
  #text = ''

  constructor(
    port: number,
    requests: readonly Buffer[],
    first: number,
    streamed: boolean,
    measures: Measures,
  ) {
    this.#requests = requests
    this.#next = first
    this.#streamed = streamed
    this.#measures = measures
    const reader = new ResponseReader({
      body: bytes => this.#body(bytes),
      end: status => this.#end(status),
    })
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => this.#send())
    this.#socket.on('data', chunk => {
      if (streamed) measures.read()
      try {
        reader.push(chunk)
      } catch (error) {
        this.#broken(error instanceof Error ? error.message : String(error))
      }
    })
    this.#socket.on('error', error => this.#broken('code' in error ? String(error.code) : error.message))
    this.#socket.on('close', () => this.#broken('closed'))
  }

  /** Whether the body of the answer under way has begun to come. */
  get begun(): boolean {
    return this.#started
  }

  /** Resolves once the answer under way is whole; no further request is sent. */
  finish(): Promise<void> {
    this.#finishing = true
    if (!this.#waiting) this.#close()
    return this.#finished.promise
  }

  /** Ends it at once; an answer under way counts as failed. */
  giveUp(): void {
    this.#broken('no end')
  }

  #send(): void {
    const request = this.#requests[this.#next]
    if (request === undefined) throw new Error('there are no requests to send')
    this.#next = (this.#next + 1) % this.#requests.length
    this.#started = false
    this.#sawDone = false
    this.#text = ''
    this.#waiting = true
    this.#sentAtMs = performance.now()
    this.#socket.write(request)
  }

  #body(bytes: Buffer): void {
    if (!this.#streamed) return
    if (!this.#started) {
      this.#started = true
      this.#measures.firstChunk(performance.now() - this.#sentAtMs)
    }
    const text = this.#text + bytes.toString('latin1', 0, bytes.length)
    const nowUs = machineMicroseconds()
    let at = 0
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n', at)) {
      this.#event(text, at, end, nowUs)
      at = end + 2
    }
    this.#text = text.slice(at)
  }

  #event(text: string, from: number, to: number, nowUs: number): void {
    const mark = text.indexOf(TIME_MARK, from)
    if (mark >= 0 && mark < to) {
      const begin = mark + TIME_MARK.length
      this.#measures.event((nowUs - Number(text.slice(begin, begin + TIME_DIGITS))) / 1000)
    } else if (text.startsWith('data: [DONE]', from)) this.#sawDone = true
  }

  #end(status: number): void {
    this.#waiting = false
    if (status !== 200) this.#measures.failed(`status ${status}`)
    else if (this.#streamed && !this.#sawDone) this.#measures.failed('no [DONE]')
    else this.#measures.answered(performance.now() - this.#sentAtMs)
    if (this.#finishing) this.#close()
    else this.#send()
  }

  #broken(why: string): void {
    if (this.#waiting) this.#measures.failed(why)
    this.#close()
  }

  #close(): void {
    this.#waiting = false
    this.#finishing = true
    this.#socket.destroy()
    this.#finished.resolve()
  }
}
