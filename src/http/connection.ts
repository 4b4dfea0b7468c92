/** What is known of one client connection: the calls in flight on it. */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { GatewayError } from '#spec/errors.ts'

/** A call that must hear when its connection closes. */
export interface InFlight {
  clientGone(): void
  /** The body cannot be had any more. True where the call was still reading it and has answered with the error. */
  bodyFailed(error: GatewayError): boolean
}

export class Connection {
  readonly socket: Socket
  readonly calls = new Set<InFlight>()
  /** Requests that have come over it. */
  requests = 0
  /** A refusal was written below HTTP; nothing more is said on this connection. */
  refused = false
  #lastResponse: ServerResponse | undefined = undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.once('close', () => {
      for (const call of this.calls) call.clientGone()
      this.calls.clear()
    })
  }

  begin(call: InFlight, response: ServerResponse): void {
    this.requests += 1
    this.calls.add(call)
    this.#lastResponse = response
  }

  /**
   * Closes once every answer has been taken. (Node's `closeIdleConnections` cuts off answers that are written and not
   * yet taken, and pipelined ones behind them.) A connection with an open call is left alone: its answer closes it.
   */
  retire(): void {
    if (this.calls.size > 0) return
    const last = this.#lastResponse
    if (last === undefined || last.writableFinished) this.socket.destroySoon()
    else last.once('finish', () => this.retire())
  }
}

/** The open connections of one server, by socket. */
export class Connections {
  readonly #bySocket = new Map<Socket, Connection>()

  /** The connection of a socket, from its first request or refusal until it closes. */
  of(socket: Socket): Connection {
    let connection = this.#bySocket.get(socket)
    if (!connection) {
      connection = new Connection(socket)
      this.#bySocket.set(socket, connection)
      socket.once('close', () => this.#bySocket.delete(socket))
    }
    return connection
  }

  /** Closes every connection that has no open call. */
  retire(): void {
    for (const connection of this.#bySocket.values()) connection.retire()
  }
}
