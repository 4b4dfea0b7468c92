/** Single calls, for what is set up and looked at beside the load; and requests as the load sends them. */

interface Enveloped {
  readonly code?: unknown
  readonly data?: Readonly<Record<string, unknown>> | undefined
}

export async function postJson(port: number, path: string, key: string, body: unknown): Promise<Enveloped> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return (await answer.json()) as Enveloped
}

export async function getJson(port: number, path: string, key: string): Promise<Enveloped> {
  const headers = { authorization: `Bearer ${key}` }
  return (await (await fetch(`http://127.0.0.1:${port}${path}`, { headers })).json()) as Enveloped
}

/** One request as it goes on the wire. */
export function rawRequest(port: number, method: 'GET' | 'POST', path: string, key: string, body?: unknown) {
  const text = body === undefined ? '' : JSON.stringify(body)
  const sized =
    body === undefined ? [] : ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`]
  return [
    `${method} ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Accept: application/json',
    'User-Agent: bench',
    `Authorization: Bearer ${key}`,
    ...sized,
    '',
    text,
  ].join('\r\n')
}
