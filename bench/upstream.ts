/**
 * The vendor of the benchmark, in a process of its own: OpenAI's chat format over bare sockets, so that it costs as
 * little of the shared machine as a Node process can. Plain calls get one fixed answer of 30 tokens; streams get
 * chunks that carry the time they were written, at the pace asked for. It counts what it answered.
 *
 * It reads the request as far as it must: a head, a body of the stated length, whether it asks for a stream and for
 * its usage. Only loopback; only behind the proxies of this benchmark.
 */
import { createServer, type Socket } from 'node:net'
import process from 'node:process'
import type { Pace, UpstreamCounts, UpstreamReply, UpstreamRequest } from './messages.ts'
import { doneEvents, firstEvent, PLAIN_ANSWER, STREAM_HEAD, timedEvent } from './upstream-answers.ts'

let pace: Pace = { events: 40, intervalMs: 0 }
/** Streams without an end of their own end after this was asked for. */
let finishing = false
const counts = { plain: 0, streams: 0, cut: 0, events: 0 }
let openStreams = 0

const server = createServer({ noDelay: true }, socket => new Conversation(socket))
server.listen({ host: '127.0.0.1', port: 0, backlog: 8192 }, () => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the upstream has no port')
  reply({ kind: 'listening', port: address.port })
})

process.on('message', (request: UpstreamRequest) => {
  if (request.kind === 'pace') {
    pace = request.pace
    finishing = false
    reply({ kind: 'counts', counts: read() })
  } else if (request.kind === 'finish') {
    finishing = true
    reply({ kind: 'counts', counts: read() })
  } else reply({ kind: 'counts', counts: read() })
})
// Its parent is all it lives for.
process.on('disconnect', () => process.exit(0))

function read(): UpstreamCounts {
  return { ...counts, openStreams }
}

function reply(message: UpstreamReply): void {
  process.send?.(message)
}

/** One connection: requests one after another, as HTTP/1.1 clients without pipelining send them. */
class Conversation {
  readonly #socket: Socket
  #received: Buffer | undefined
  #stream: PacedStream | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', chunk => this.#onData(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#stream?.cut())
  }

  #onData(chunk: Buffer): void {
    const received = this.#received === undefined ? chunk : Buffer.concat([this.#received, chunk])
    const headEnd = received.indexOf('\r\n\r\n')
    const length = headEnd < 0 ? undefined : bodyLength(received.toString('latin1', 0, headEnd))
    if (length === undefined || received.length < headEnd + 4 + length) {
      this.#received = received
      return
    }
    this.#received = undefined
    const body = received.subarray(headEnd + 4)
    if (body.includes('"stream":true')) {
      this.#stream = new PacedStream(this.#socket, body.includes('"include_usage":true'), pace)
    } else {
      counts.plain++
      this.#socket.write(PLAIN_ANSWER)
    }
  }
}

function bodyLength(head: string): number {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new Error('a request came without content-length')
  return Number(length)
}

/** One streamed answer: every event a write of its own, as a vendor that generates token by token sends them. */
class PacedStream {
  readonly #socket: Socket
  readonly #withUsage: boolean
  readonly #pace: Pace
  #sent = 0
  #over = false
  #timer: NodeJS.Timeout | undefined

  constructor(socket: Socket, withUsage: boolean, itsPace: Pace) {
    this.#socket = socket
    this.#withUsage = withUsage
    this.#pace = itsPace
    openStreams++
    socket.write(STREAM_HEAD + firstEvent())
    if (itsPace.intervalMs > 0) this.#timer = setInterval(this.#step, itsPace.intervalMs)
    else setImmediate(this.#step)
  }

  /** The reader hung up. */
  cut(): void {
    if (this.#over) return
    counts.cut++
    this.#close()
  }

  #step = (): void => {
    if (this.#over) return
    if (finishing || (this.#pace.events !== 'until-asked' && this.#sent >= this.#pace.events)) {
      counts.streams++
      this.#socket.write(doneEvents(this.#withUsage))
      this.#close()
      return
    }
    this.#sent++
    counts.events++
    const roomLeft = this.#socket.write(timedEvent())
    if (this.#pace.intervalMs > 0) return
    if (roomLeft) setImmediate(this.#step)
    else this.#socket.once('drain', this.#step)
  }

  #close(): void {
    this.#over = true
    openStreams--
    clearInterval(this.#timer)
  }
}
