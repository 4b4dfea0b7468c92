import { expect, test } from 'vitest'
import type { CallbackBacklog } from './callback-metrics.ts'
import { createMetrics } from './metrics.ts'

async function page(metrics: ReturnType<typeof createMetrics>): Promise<string> {
  return (await metrics.render()).body
}

test('tries are counted by outcome, each of which is there at zero before the first', async () => {
  const metrics = createMetrics()
  const before = await page(metrics)
  for (const outcome of ['delivered', 'again', 'exhausted', 'dropped']) {
    expect(before).toContain(`callback_tries_total{outcome="${outcome}"} 0\n`)
  }
  metrics.callbackTried('delivered', 40)
  metrics.callbackTried('delivered', 3_000)
  metrics.callbackTried('again', 15_000)
  const after = await page(metrics)
  expect(after).toContain('callback_tries_total{outcome="delivered"} 2\n')
  expect(after).toContain('callback_tries_total{outcome="again"} 1\n')
  expect(after).toContain('callback_try_duration_seconds_bucket{le="0.05",outcome="delivered"} 1\n')
  expect(after).toContain('callback_try_duration_seconds_sum{outcome="again"} 15\n')
})

test('the backlog is read once a page, at each page', async () => {
  const metrics = createMetrics()
  let reads = 0
  metrics.callbackBacklog(async () => {
    reads += 1
    return { pending: 10 * reads, overdue: reads, oldestOverdueSeconds: reads / 2 }
  })
  for (let scrape = 1; scrape <= 2; scrape++) {
    const text = await page(metrics)
    expect(text).toContain(`callbacks_pending ${10 * scrape}\n`)
    expect(text).toContain(`callbacks_overdue ${scrape}\n`)
    expect(text).toContain(`callback_oldest_overdue_seconds ${scrape / 2}\n`)
  }
  expect(reads).toBe(2)
})

test('a database that is away, or does not answer, costs the page no more than these series', async () => {
  const metrics = createMetrics()
  const answers: (() => Promise<CallbackBacklog>)[] = [
    async () => ({ pending: 7, overdue: 7, oldestOverdueSeconds: 7 }),
    async () => {
      throw new Error('the database cannot be reached')
    },
    () => new Promise(() => {}),
  ]
  metrics.callbackBacklog(() => answers.shift()?.() ?? Promise.reject(new Error('asked too often')))
  expect(await page(metrics)).toContain('callbacks_pending 7\n')
  for (let scrape = 0; scrape < 2; scrape++) {
    const text = await page(metrics)
    expect(text).not.toMatch(/^callbacks_pending /m)
    expect(text).not.toMatch(/^callback_oldest_overdue_seconds /m)
    expect(text).toContain('callback_tries_total{outcome="delivered"} 0\n')
  }
})
