import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { startFalUpstream } from '../fal/program.ts'
import { startKieUpstream } from '../kie/program.ts'
import { startReplicateUpstream } from '../replicate/program.ts'
import { DEFAULT_TASK_DIRECTIVES, readTaskDirectives } from './directives.ts'
import { sampleFile } from './files.ts'
import { JobMeter } from './job-meter.ts'

const stops: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

async function startFal(options: Parameters<typeof startFalUpstream>[0] = {}) {
  const upstream = await startFalUpstream({ defaults: 'done-after-ms=0', ...options })
  stops.push(() => upstream.close())
  const create = async (prompt: string, endpoint = 'fal-ai/flux/dev') => {
    const answer = await fetch(`${upstream.baseUrl}/${endpoint}`, {
      method: 'POST',
      body: JSON.stringify({ prompt }),
    })
    return (await answer.json()) as { request_id: string; response_url: string }
  }
  const fileOf = async (prompt: string) => {
    const { response_url } = await create(prompt)
    await expect.poll(async () => (await fetch(response_url)).status).toBe(200)
    const result = (await (await fetch(response_url)).json()) as { images: { url: string }[] }
    return result.images[0]?.url ?? ''
  }
  return { upstream, create, fileOf }
}

describe('the meter', () => {
  test('invoices files, seconds and jobs of what succeeded, to the nano-dollar', () => {
    const meter = new JobMeter({ a: { perFile: '7', perSecond: '3', perJob: '100' }, '*': { perFile: '1' } })
    for (let call = 0; call < 4; call++) {
      meter.created()
      meter.accepted()
    }
    meter.ended('1', 'a', 'succeeded', 2, 1.5)
    meter.ended('2', 'a', 'failed', 0, 5)
    meter.ended('3', 'other', 'succeeded', 3, 9)
    expect(meter.read().jobs.map(({ invoiceNanoUsd }) => invoiceNanoUsd)).toEqual(['119', '0', '3'])
    expect(meter.read().totals).toMatchObject({
      creates: 4,
      running: 1,
      succeeded: 2,
      failed: 1,
      invoiceNanoUsd: '122',
    })
  })

  test('knows of a job whose creator never heard of it', async () => {
    const { upstream, create } = await startFal({ prices: { '*': { perFile: '5' } } })
    await expect(create('[[sim create-lost]]')).rejects.toThrow()
    await expect
      .poll(() => upstream.meter().totals)
      .toMatchObject({ creates: 1, succeeded: 1, invoiceNanoUsd: '5' })
  })
})

describe('faults', () => {
  test('are asked for in the prompt, or for the next call over HTTP', async () => {
    const { upstream, create } = await startFal()
    const control = (body: object) =>
      fetch(`${upstream.origin}/__faults`, { method: 'POST', body: JSON.stringify(body) })
    expect((await control({ next: ['create-503'] })).status).toBe(200)
    expect(await create('plain')).toMatchObject({ error_type: 'runner_scheduling_failure' })
    expect(await create('plain')).toMatchObject({ status: 'IN_QUEUE' })
    expect(await create('[[sim create-429]]')).toMatchObject({ detail: 'Too many requests' })
    expect((await control({ next: ['no-such-fault'] })).status).toBe(400)
  })

  test('of files: gone, gone once, cut, mistyped, not a picture at all', async () => {
    const { fileOf } = await startFal()
    expect((await fetch(await fileOf('[[sim file-404]]'))).status).toBe(404)
    const once404 = await fileOf('[[sim file-404-once]]')
    expect([(await fetch(once404)).status, (await fetch(once404)).status]).toEqual([404, 200])
    const cut = await fetch(await fileOf('[[sim file-cut]]'))
    await expect(cut.arrayBuffer()).rejects.toThrow()
    const mistyped = await fetch(await fileOf('[[sim file-wrong-type]]'))
    expect(mistyped.headers.get('content-type')).toBe('text/html')
    const page = await fetch(await fileOf('[[sim file-is-html]]'))
    expect(await page.text()).toContain('<html>')
  })

  test('that are misspelled are an error and not a quiet success', () => {
    expect(() => readTaskDirectives('job-fials', DEFAULT_TASK_DIRECTIVES)).toThrow(TypeError)
    expect(() => readTaskDirectives('looks=many', DEFAULT_TASK_DIRECTIVES)).toThrow(TypeError)
  })
})

test('a file that was never delivered cannot be fetched', async () => {
  const { fileOf } = await startFal()
  const url = await fileOf('a cat')
  expect((await fetch(url)).status).toBe(200)
  expect((await fetch(url.replace('/0.', '/7.'))).status).toBe(404)
  expect((await fetch(url.replace(/files\/[^/]+/, 'files/other'))).status).toBe(404)
})

test('a wrong key is refused, and the published keys need none', async () => {
  const { upstream, create } = await startFal({ apiKey: 'right' })
  expect(await create('a cat')).toMatchObject({ detail: expect.stringContaining('Authentication') })
  expect(await (await fetch(`${upstream.origin}/.well-known/jwks.json`)).json()).toMatchObject({
    keys: [{ kty: 'OKP', crv: 'Ed25519' }],
  })
})

test('every sample is a file of its kind', () => {
  expect(sampleFile('image', 1).bytes.subarray(1, 4).toString()).toBe('PNG')
  expect(sampleFile('image', 1).bytes).not.toEqual(sampleFile('image', 2).bytes)
  expect(sampleFile('video', 1).bytes.subarray(4, 8).toString()).toBe('ftyp')
  expect(sampleFile('mesh', 1).bytes.readUInt32LE(8)).toBe(sampleFile('mesh', 1).bytes.length)
  expect(sampleFile('audio', 1).bytes[0]).toBe(0xff)
})

describe('as a process of its own', () => {
  test.each(['fal', 'replicate', 'kie'])(
    '%s says where it listens, is controlled over HTTP, and stops when told',
    async name => {
      const program = new URL(`../${name}/program.ts`, import.meta.url).pathname
      const child = spawn(process.execPath, [program, '--port', '0', '--prices', '{"*":{"perFile":"3"}}'])
      stops.push(async () => child.kill('SIGKILL'))
      const [line] = (await once(child.stdout, 'data')) as [Buffer]
      const { port } = JSON.parse(line.toString()) as { port: number }
      const meter = await (await fetch(`http://127.0.0.1:${port}/__meter`)).json()
      expect(meter).toMatchObject({ totals: { creates: 0, invoiceNanoUsd: '0' } })
      child.kill('SIGTERM')
      const [code] = await once(child, 'exit')
      expect(code).toBe(0)
    },
  )
})

test('the three listen beside each other', async () => {
  const upstreams = [await startFalUpstream(), await startReplicateUpstream(), await startKieUpstream()]
  for (const upstream of upstreams) stops.push(() => upstream.close())
  expect(new Set(upstreams.map(({ port }) => port)).size).toBe(3)
})
