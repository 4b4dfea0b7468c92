import { expect, test } from 'vitest'
import type { ReferenceSite } from '#dialect-kit/reference/reference-site.ts'
import { RawClient, startEdge } from './edge.fixture.ts'

/** Pages that show nothing but where they think they are. */
const site: ReferenceSite = {
  openApi: baseUrl => ({ contentType: 'application/json', body: JSON.stringify({ baseUrl }), etag: '"o"' }),
  page: (name, baseUrl) =>
    name === 'gone'
      ? undefined
      : { contentType: 'text/html', body: `[${name}] ${baseUrl}`, etag: `"${name}"` },
}

test('the document and the pages are there for anyone', async () => {
  const { url } = await startEdge({ reference: { site, publicUrl: undefined } })
  expect(await (await fetch(`${url}/openapi.json`)).json()).toEqual({ baseUrl: url })
  expect(await (await fetch(`${url}/docs`)).text()).toBe(`[] ${url}`)
  expect(await (await fetch(`${url}/docs/kie`)).text()).toBe(`[kie] ${url}`)
  expect((await fetch(`${url}/docs/gone`)).status).toBe(404)
})

test('a page may load styles of ours and nothing else', async () => {
  const { url } = await startEdge({ reference: { site, publicUrl: undefined } })
  const policy = (await fetch(`${url}/docs`)).headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("style-src 'self'")
  expect(policy).not.toContain('unsafe')
})

test('a page that has not changed is not sent again', async () => {
  const { url } = await startEdge({ reference: { site, publicUrl: undefined } })
  const again = await fetch(`${url}/docs/kie`, { headers: { 'if-none-match': '"kie"' } })
  expect([again.status, await again.text()]).toEqual([304, ''])
})

test('the configured address is shown, whatever a client says', async () => {
  const { url } = await startEdge({ reference: { site, publicUrl: 'https://ai.example.com' } })
  expect(await (await fetch(`${url}/docs`)).text()).toBe('[] https://ai.example.com')
})

test('a Host that is no name does not come back in a page', async () => {
  const { port } = await startEdge({ reference: { site, publicUrl: undefined } })
  for (const host of ['"><b>', "x' -o /etc/passwd", 'a b', '$(id)', 'user@host']) {
    const client = new RawClient(port)
    client.send(`GET /docs HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    await client.closed
    expect(client.received).not.toContain(host)
  }
})

test('without a reference there is nothing', async () => {
  const { url } = await startEdge({})
  expect((await fetch(`${url}/docs`)).status).toBe(404)
})
