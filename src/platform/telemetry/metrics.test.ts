import { expect, test } from 'vitest'
import { createMetrics } from './metrics.ts'

test('requests are counted by class of status, and their time in seconds', async () => {
  const metrics = createMetrics()
  const route = metrics.route('openai', 'POST /chat/completions')
  route.answered(200, 40)
  route.answered(201, 3_000)
  route.answered(499, 1)
  route.firstByte(200)
  const { contentType, body } = await metrics.render()
  expect(contentType).toContain('text/plain')
  const labels = 'dialect="openai",route="POST /chat/completions"'
  expect(body).toContain(`http_requests_total{${labels},status="2xx"} 2`)
  expect(body).toContain(`http_requests_total{${labels},status="4xx"} 1`)
  expect(body).toContain(`http_request_duration_seconds_bucket{le="0.05",${labels}} 2`)
  expect(body).toContain(`http_request_duration_seconds_sum{${labels}} 3.041`)
  expect(body).toContain(`http_first_byte_seconds_bucket{le="0.25",${labels}} 1`)
})

test('ledger violations are there at zero before the first one', async () => {
  const metrics = createMetrics()
  expect((await metrics.render()).body).toContain('ledger_violations_total{invariant="any"} 0')
  metrics.ledgerViolation('free-balance', 2)
  expect((await metrics.render()).body).toContain('ledger_violations_total{invariant="free-balance"} 2')
})

test('a periodic job has its failures at zero before the first one', async () => {
  const metrics = createMetrics()
  metrics.periodicRun('sweep', 'failed', 0)
  expect((await metrics.render()).body).toContain('periodic_runs_total{job="sweep",outcome="failed"} 0')
  metrics.periodicRun('sweep', 'failed')
  metrics.periodicRun('sweep', 'done')
  const { body } = await metrics.render()
  expect(body).toContain('periodic_runs_total{job="sweep",outcome="failed"} 1')
  expect(body).toContain('periodic_runs_total{job="sweep",outcome="done"} 1')
})

test('a pool is read at each scrape', async () => {
  const metrics = createMetrics()
  const state = { total: 4, idle: 3, waiting: 0 }
  metrics.pool('money', () => state)
  expect((await metrics.render()).body).toContain('database_connections{pool="money",state="busy"} 1')
  state.idle = 0
  state.waiting = 7
  const { body } = await metrics.render()
  expect(body).toContain('database_connections{pool="money",state="busy"} 4')
  expect(body).toContain('database_connections{pool="money",state="waiting"} 7')
})

test('upstream calls, holds and streams are counted, and two registries share nothing', async () => {
  const metrics = createMetrics()
  metrics.upstreamCall('openai', 'ok', 120)
  metrics.hold('taken', 3)
  metrics.hold('settled')
  metrics.streamOpened()
  metrics.streamOpened()
  metrics.streamClosed()
  metrics.connectionRefused('malformed')
  const { body } = await metrics.render()
  expect(body).toContain('upstream_call_duration_seconds_count{provider="openai",outcome="ok"} 1')
  expect(body).toContain('holds_total{event="taken"} 3')
  expect(body).toContain('http_open_streams 1')
  expect(body).toContain('http_connections_refused_total{reason="malformed"} 1')
  expect(body).toMatch(/^nodejs_eventloop_lag_p99_seconds /m)
  expect((await createMetrics().render()).body).not.toContain('holds_total{')
})

test('what was counted before a scrape is still counted after it', async () => {
  const metrics = createMetrics()
  const route = metrics.route('openai', 'GET /models')
  for (let scrape = 1; scrape <= 2; scrape++) {
    route.answered(200, 1_000_000)
    metrics.hold('released')
    const { body } = await metrics.render()
    const labels = 'dialect="openai",route="GET /models"'
    expect(body).toContain(`http_requests_total{${labels},status="2xx"} ${scrape}\n`)
    expect(body).toContain(`http_request_duration_seconds_bucket{le="600",${labels}} 0\n`)
    expect(body).toContain(`http_request_duration_seconds_bucket{le="+Inf",${labels}} ${scrape}\n`)
    expect(body).toContain(`http_request_duration_seconds_count{${labels}} ${scrape}\n`)
    expect(body).toContain(`holds_total{event="released"} ${scrape}\n`)
    expect(body).not.toContain('http_first_byte_seconds_count')
  }
})

test('a label is escaped, so that it cannot end its own quotes', async () => {
  const metrics = createMetrics()
  metrics.upstreamCall('a"b\\c\nd', 'ok', 1)
  expect((await metrics.render()).body).toContain('{provider="a\\"b\\\\c\\nd",outcome="ok"} 1')
})
