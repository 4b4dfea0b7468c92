/** Bodies on the simulated vendors' wire. */
import type { ServerResponse } from 'node:http'
import type { WireAnswer } from './vendor-format.ts'

/** As JSON. */
export function send(response: ServerResponse, { status, headers, body }: WireAnswer): void {
  const text = JSON.stringify(body)
  response
    .writeHead(status, {
      'content-type': 'application/json;charset=UTF-8',
      'content-length': Buffer.byteLength(text),
      ...headers,
    })
    .end(text)
}

/** What a proxy in front of a vendor says, with the status of a success. */
export function sendPage(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<html><h1>Just a moment</h1></html>')
}

/** A body as an object; an empty one where it is none. */
export function parsed(raw: string): Readonly<Record<string, unknown>> {
  try {
    const body: unknown = JSON.parse(raw)
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
