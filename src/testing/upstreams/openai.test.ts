import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createFaultDice } from './openai/faults.ts'
import type { MeterReading } from './openai/meter.ts'
import { type OpenAiUpstream, type OpenAiUpstreamOptions, startOpenAiUpstream } from './openai.ts'

const PRICES = {
  '*': { input: '2500000001', cached_input: '1250000000', cache_write: '3000000000', output: '10000000003' },
}
const stops: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

async function start(options: OpenAiUpstreamOptions = {}): Promise<OpenAiUpstream> {
  const upstream = await startOpenAiUpstream({ prices: PRICES, ...options })
  stops.push(() => upstream.close())
  return upstream
}

const body = (more: Record<string, unknown> = {}) =>
  JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }], ...more })

const post = (
  upstream: OpenAiUpstream,
  more: Record<string, unknown> = {},
  headers: Record<string, string> = {},
) => fetch(`${upstream.baseUrl}/chat/completions`, { method: 'POST', body: body(more), headers })

describe('the meter', () => {
  test('invoices a completed call to the nano-dollar, by the classes of its tokens', async () => {
    const upstream = await start()
    const answer = (await (await post(upstream, { model: 'm:tokens=7,cached=4,cache-write=2' })).json()) as {
      id: string
      usage: { prompt_tokens: number }
    }
    const prompt = BigInt(answer.usage.prompt_tokens)
    const scaled = (prompt - 6n) * 2500000001n + 4n * 1250000000n + 2n * 3000000000n + 7n * 10000000003n
    const invoice = (scaled + 999_999n) / 1_000_000n
    const reading = upstream.meter()
    expect(reading.calls).toMatchObject([
      {
        id: answer.id,
        model: 'm',
        outcome: 'completed',
        streamed: false,
        invoiceNanoUsd: invoice.toString(),
      },
    ])
    expect(reading.totals).toMatchObject({ calls: 1, completed: 1, invoiceNanoUsd: invoice.toString() })
  })

  test('is read and reset over HTTP', async () => {
    const upstream = await start()
    await post(upstream)
    const read = async () =>
      (await (await fetch(upstream.baseUrl.replace('/v1', '/__meter'))).json()) as MeterReading
    expect((await read()).totals.completed).toBe(1)
    await fetch(upstream.baseUrl.replace('/v1', '/__reset'), { method: 'POST' })
    expect((await read()).totals).toMatchObject({ calls: 0, invoiceNanoUsd: '0' })
  })

  test.each(['error500', 'error503', 'rate429', 'error400', 'html', 'error-200', 'no-choices'])(
    'bills nothing for %s',
    async fault => {
      const upstream = await start()
      await (await post(upstream, { model: `m:${fault}` })).text()
      expect(upstream.meter().totals).toMatchObject({ calls: 1, failed: 1, invoiceNanoUsd: '0' })
    },
  )

  test.each(['no-usage', 'usage-x1000', 'usage-negative'])('bills the truth under %s', async fault => {
    const upstream = await start()
    await (await post(upstream)).text()
    const [truth] = upstream.meter().calls
    const header = { 'x-sim': fault }
    await (await post(upstream, {}, header)).text()
    expect(upstream.meter().calls[1]?.invoiceNanoUsd).toBe(truth?.invoiceNanoUsd)
  })

  test('bills a stream that was left for the tokens generated until then', async () => {
    const upstream = await start()
    const leave = new AbortController()
    const answer = await fetch(`${upstream.baseUrl}/chat/completions`, {
      method: 'POST',
      body: body({ stream: true, model: 'm:tokens=10000,delay-ms=5' }),
      signal: leave.signal,
    })
    const reader = answer.body?.getReader()
    await reader?.read()
    leave.abort()
    await expect.poll(() => upstream.meter().totals.aborted).toBe(1)
    const [call] = upstream.meter().calls
    expect(call?.usage.completion).toBeLessThan(100)
    expect(BigInt(call?.invoiceNanoUsd ?? 0)).toBeGreaterThan(0n)
  })

  test('bills a whole stream as it bills a whole answer', async () => {
    const upstream = await start()
    await (await post(upstream, { stream: false })).text()
    await (await post(upstream, { stream: true })).text()
    const [whole, streamed] = upstream.meter().calls
    expect(streamed?.usage.completion).toBe(whole?.usage.completion)
  })
})

describe('the answers', () => {
  test('are the same for the same request, and as long as asked', async () => {
    const upstream = await start({ defaults: { tokens: 40 } })
    const text = async () => {
      const answer = (await (await post(upstream)).json()) as { choices: { message: { content: string } }[] }
      return answer.choices[0]?.message.content
    }
    expect(await text()).toBe(await text())
    const short = (await (await post(upstream, { max_tokens: 5 })).json()) as {
      usage: { completion_tokens: number }
    }
    expect(short.usage.completion_tokens).toBe(5)
  })

  test('carry as many events in one write as asked', async () => {
    const upstream = await start()
    const writes = async (eventsPerWrite: number) => {
      const socket = connect(upstream.port, '127.0.0.1')
      const payload = body({
        stream: true,
        model: `m:tokens=20,delay-ms=3,events-per-write=${eventsPerWrite}`,
      })
      socket.write(
        `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(payload)}\r\n\r\n${payload}`,
      )
      let chunks = ''
      socket.setEncoding('utf8').on('data', piece => {
        chunks += piece
      })
      await once(socket, 'close')
      return (
        chunks.split('\r\n\r\n')[1]?.match(/^[0-9a-f]+\r$/gm)?.length ??
        chunks.match(/\n[0-9a-f]+\r\ndata/g)?.length
      )
    }
    expect(await writes(10)).toBeLessThan((await writes(1)) ?? 0)
  })

  test('are remembered by what was asked, up to a bound', async () => {
    const upstream = await start({ keepRequests: 2 })
    for (const content of ['a', 'b', 'c']) await (await post(upstream, { user: content })).text()
    expect(upstream.requests().map(request => JSON.parse(request.body).user)).toEqual(['b', 'c'])
    const listed = (await (await fetch(upstream.baseUrl.replace('/v1', '/__requests'))).json()) as unknown[]
    expect(listed).toHaveLength(2)
  })

  test('refuse another key than their own', async () => {
    const upstream = await start({ apiKey: 'sk-right' })
    expect((await post(upstream, {}, { authorization: 'Bearer sk-wrong' })).status).toBe(401)
    expect((await post(upstream, {}, { authorization: 'Bearer sk-right' })).status).toBe(200)
  })
})

describe('the random profile', () => {
  const draw = (seed: number) => {
    const dice = createFaultDice({ error500: 0.2, rate429: 0.1 }, seed)
    return Array.from({ length: 2000 }, dice)
  }

  test('is drawn the same from the same seed, in about the asked proportions', () => {
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
    expect(draw(7).filter(fault => fault === 'error500').length).toBeGreaterThan(320)
    expect(draw(7).filter(fault => fault === undefined).length).toBeGreaterThan(1300)
  })

  test('names only faults there are', () => {
    expect(() => createFaultDice({ explode: 1 } as never, 1)).toThrow(/explode/)
  })
})

test('it runs as a process of its own, and says on which port', async () => {
  const child = spawn(process.execPath, [new URL('./openai.ts', import.meta.url).pathname, '--port', '0'])
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const { port } = JSON.parse(line.toString()) as { port: number }
  const answer = await fetch(`http://127.0.0.1:${port}/v1/models`)
  expect(await answer.json()).toMatchObject({ object: 'list' })
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})
