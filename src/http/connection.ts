/** What is known of one client connection: the calls in flight on it. */
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

  constructor(socket: Socket) {
    this.socket = socket
    socket.once('close', () => {
      for (const call of this.calls) call.clientGone()
      this.calls.clear()
    })
  }
}

/** The connections of one server, by socket; an entry goes with its socket. */
export class Connections {
  readonly #bySocket = new WeakMap<Socket, Connection>()

  of(socket: Socket): Connection {
    let connection = this.#bySocket.get(socket)
    if (!connection) {
      connection = new Connection(socket)
      this.#bySocket.set(socket, connection)
    }
    return connection
  }
}
