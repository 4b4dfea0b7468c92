/** Says no to a request whose body is still coming, in a way the client can read. */
import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Sends the whole answer, then throws the rest of the request away until it ends or the time is up, and only
 * then closes. Closing at once would reset the connection under a client that is still sending, and the
 * answer would be lost with it (nginx calls this a lingering close). The head must say `Connection: close`.
 */
export function linger(
  request: IncomingMessage,
  response: ServerResponse,
  body: string | Buffer,
  lingerMs: number,
): void {
  const close = () => {
    clearTimeout(timer)
    request.off('end', close)
    request.off('close', close)
    response.end()
  }
  const timer = setTimeout(close, lingerMs)
  timer.unref()
  request.once('end', close)
  request.once('close', close)
  response.write(body)
  request.resume()
}
