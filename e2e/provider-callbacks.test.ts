/**
 * Vendors' callbacks and clients' cancels, with real money: only the vendor's own word makes us look, nothing in it is
 * believed, and whatever is called off costs the client nothing.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { SentCallback } from '#testing/upstreams/media/sent-callback.ts'
import { expectAccountedFor, expectCleanAudit } from './books.fixture.ts'
import {
  accountsOf,
  type MediaHouse,
  openMediaHouse,
  startMediaVendors,
  untilEnded,
} from './media-house.fixture.ts'
import { FILE_NANO_USD, VENDORS, type VendorId } from './media-vendors.fixture.ts'

/** Of the few tasks here that are to run out of time. */
const BRIEF_SECONDS = 6

let vendors: Awaited<ReturnType<typeof startMediaVendors>>
let house: MediaHouse
let made = 0

beforeAll(async () => {
  vendors = await startMediaVendors()
  house = await openMediaHouse(vendors, BRIEF_SECONDS)
})

afterAll(async () => {
  await house?.stop()
  for (const vendor of VENDORS) await vendors?.[vendor].stop()
})

interface Submitted {
  readonly id: string
  readonly mark: string
}

async function submit(model: string, words: string, count = 1): Promise<Submitted> {
  const mark = `c=${++made};`
  return { id: await house.submit(model, `a fox ${mark} [[sim ${words}]]`, count), mark }
}

async function accountOf({ id, mark }: Submitted) {
  const account = (await accountsOf(house, new Map([[id, mark]]))).get(id)
  if (!account) throw new Error(`${id} is unknown`)
  return account
}

async function createOf(vendor: VendorId, { mark }: Submitted) {
  const calls = await vendors[vendor].calls()
  return calls.find(call => call.jobId !== undefined && JSON.stringify(call.body).includes(mark))
}

/** Where the vendor was told to call back about a job. */
async function callbackUrlOf(vendor: VendorId, task: Submitted): Promise<string> {
  const create = await createOf(vendor, task)
  const body = create?.body as { readonly webhook?: string; readonly callBackUrl?: string } | undefined
  const query = new URL(create?.path ?? '', 'http://vendor').searchParams.get('fal_webhook')
  return query ?? body?.webhook ?? body?.callBackUrl ?? ''
}

async function jobOf(vendor: VendorId, task: Submitted): Promise<string> {
  return (await createOf(vendor, task))?.jobId ?? ''
}

async function looksAt(vendor: VendorId, task: Submitted): Promise<number> {
  const job = await jobOf(vendor, task)
  const calls = await vendors[vendor].calls()
  return job === '' ? 0 : calls.filter(call => call.method === 'GET' && call.path.includes(job)).length
}

/** The first look is told to come again in a minute: until then only a callback can bring news. */
async function submitDeaf(vendor: VendorId, words: string): Promise<Submitted> {
  const task = await submit(`e2e-${vendor}`, `poll-429 times=1 retry-after=60 ${words}`)
  await vi.waitFor(async () => expect(await looksAt(vendor, task)).toBe(1), { timeout: 10_000 })
  return task
}

async function callBack(url: string, { headers, body }: Pick<SentCallback, 'headers' | 'body'>) {
  const sent = { 'content-type': 'application/json', ...headers }
  return (await fetch(url, { method: 'POST', headers: sent, body })).status
}

describe.each(VENDORS)('a callback of %s', vendor => {
  test('that is genuine makes us look at once, however often it comes; one that is not makes us do nothing', async () => {
    // Well after the first look, which on a busy machine comes late.
    const told = await submitDeaf(vendor, 'callback-duplicate done-after-ms=6000')
    const asked = await submitDeaf(vendor, 'never-ends')
    const startedMs = performance.now()
    const ended = await untilEnded(house, told.id, 30_000)
    expect(ended.state).toBe('succeeded')
    expect(performance.now() - startedMs).toBeLessThan(25_000)
    const ofTold = async () =>
      (await vendors[vendor].callbacks()).filter(one => one.body.includes(ended.id) || one.url === toldUrl)
    const toldUrl = await callbackUrlOf(vendor, told)
    await vi.waitFor(async () => expect((await ofTold()).map(one => one.status)).toEqual([200, 200]))
    const [genuine] = await ofTold()
    if (!genuine) throw new Error('no callback was sent')

    const askedUrl = await callbackUrlOf(vendor, asked)
    const [toldJob, askedJob] = [await jobOf(vendor, told), await jobOf(vendor, asked)]
    const renamed = genuine.body.replaceAll(toldJob, askedJob)
    const other = VENDORS.find(one => one !== vendor) ?? vendor
    const [toldToken, askedToken] = [toldUrl, askedUrl].map(url => url.split('/').at(-1) ?? '')
    const forgeries: readonly (readonly [string, Pick<SentCallback, 'headers' | 'body'>])[] = [
      // Another task's callback, genuine as it is.
      [askedUrl, genuine],
      // Its signature under another job's name, and none at all.
      [askedUrl, { headers: genuine.headers, body: renamed }],
      [askedUrl, { headers: renamedHeaders(genuine.headers, toldJob, askedJob), body: renamed }],
      [askedUrl, { headers: {}, body: renamed }],
      [askedUrl, { headers: genuine.headers, body: '' }],
      [askedUrl, { headers: genuine.headers, body: '{"request_id":{},"id":[],"data":7}' }],
      // The other task's token, one that is cut, and another vendor's door.
      [askedUrl.replace(String(askedToken), String(toldToken)), { headers: genuine.headers, body: renamed }],
      [toldUrl.replace(String(toldToken), String(askedToken)), genuine],
      [toldUrl.slice(0, -1), genuine],
      [toldUrl.replace(`/${vendor}/`, `/${other}/`), genuine],
    ]
    for (const [number, [url, callback]] of forgeries.entries()) {
      expect(await callBack(url, callback), `forgery ${number}`).toBe(404)
    }
    // What was genuine stays so, and changes nothing any more.
    expect(await callBack(toldUrl, genuine)).toBe(200)
    // A look that they had caused would have come before this one's answer.
    const witness = await submit(`e2e-${vendor}`, '')
    await untilEnded(house, witness.id, 20_000)
    expect(await looksAt(vendor, asked)).toBe(1)

    const { row, vendors: at } = await accountOf(told)
    expect([row?.costNanoUsd, at[vendor].invoiceNanoUsd, at[vendor].creates]).toEqual([
      FILE_NANO_USD[vendor],
      FILE_NANO_USD[vendor],
      1,
    ])
    await house.cancel(asked.id)
  }, 60_000)
})

/** fal names the job in a header too. */
function renamedHeaders(headers: Readonly<Record<string, string>>, from: string, to: string) {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace(from, to)]))
}

describe.each(VENDORS)('a create call to %s whose answer was lost', vendor => {
  test('is found by its callback alone: delivered, charged once, made once', async () => {
    const task = await submit(`e2e-${vendor}`, 'create-lost done-after-ms=4000')
    const before = performance.now()
    const ended = await untilEnded(house, task.id, 30_000)
    expect(performance.now() - before).toBeLessThan(25_000)
    expect([ended.state, ended.artifacts.length, ended.provider]).toEqual(['succeeded', 1, vendor])
    const { row, vendors: at } = await accountOf(task)
    expect([row?.costNanoUsd, at[vendor].invoiceNanoUsd, at[vendor].creates]).toEqual([
      FILE_NANO_USD[vendor],
      FILE_NANO_USD[vendor],
      1,
    ])
    const url = await callbackUrlOf(vendor, task)
    const told = (await vendors[vendor].callbacks()).filter(one => one.url === url)
    expect(told.map(({ status }) => status)).toEqual([200])
  })

  test('is not found by a forged one: it expires, and nothing is charged', async () => {
    const task = await submit(`e2e-${vendor}-brief`, 'create-lost never-ends')
    await vi.waitFor(async () => expect(await jobOf(vendor, task)).not.toBe(''), { timeout: 10_000 })
    const url = await callbackUrlOf(vendor, task)
    const job = await jobOf(vendor, task)
    const body = JSON.stringify({ request_id: job, id: job, status: 'OK', data: { taskId: job } })
    for (const headers of [{}, { 'x-webhook-timestamp': '1', 'x-webhook-signature': 'AA==' }]) {
      expect(await callBack(url, { headers, body })).toBe(404)
    }
    expect((await untilEnded(house, task.id, 30_000)).state).toBe('expired')
    const { row } = await accountOf(task)
    expect([await looksAt(vendor, task), row?.chargeNanoUsd]).toEqual([0, 0n])
  })
})

describe('a cancel', () => {
  test.each(VENDORS)('gives everything back, and tells %s where it can be told', async vendor => {
    const task = await submitDeaf(vendor, 'done-after-ms=4000')
    const answer = await house.cancel(task.id)
    expect([answer.status, (await house.look(task.id)).state]).toEqual([200, 'cancelled'])
    expect((await house.cancel(task.id)).status).toBe(409)
    await vi.waitFor(async () => expect((await accountOf(task)).vendors[vendor].jobs).toHaveLength(1), {
      timeout: 10_000,
    })
    const { task: after, row, vendors: at } = await accountOf(task)
    expect([after.state, after.error?.code, after.credits_charged]).toEqual(['cancelled', 'cancelled', 0])
    expect([row?.chargeNanoUsd, row?.costNanoUsd]).toEqual([0n, 0n])
    // kie.ai cannot be told: it makes the file for nobody, and the operator pays.
    const [outcome, lost] = vendor === 'kie' ? ['succeeded', FILE_NANO_USD.kie] : ['cancelled', 0n]
    expect([at[vendor].jobs[0]?.outcome, at[vendor].invoiceNanoUsd]).toEqual([outcome, lost])
  })

  test('of a task that has ended changes nothing', async () => {
    const task = await submit('e2e-fal', '')
    await untilEnded(house, task.id, 20_000)
    expect((await house.cancel(task.id)).status).toBe(409)
    const { task: after, row } = await accountOf(task)
    expect([after.state, row?.costNanoUsd]).toEqual(['succeeded', FILE_NANO_USD.fal])
  })

  test('while the copy of a file fails is free, whatever the vendor bills', async () => {
    const task = await submit('e2e-replicate', 'file-404')
    await vi.waitFor(async () => expect((await accountOf(task)).vendors.replicate.jobs).toHaveLength(1), {
      timeout: 10_000,
    })
    expect((await house.cancel(task.id)).status).toBe(200)
    const { task: after, row, vendors: at } = await accountOf(task)
    expect([after.state, row?.chargeNanoUsd]).toEqual(['cancelled', 0n])
    expect(at.replicate.invoiceNanoUsd).toBe(FILE_NANO_USD.replicate)
  })
})

describe('a task of several calls', () => {
  test('is charged for what came, though one call was lost and the vendor bills for it', async () => {
    await vendors.kie.faultNext('create-lost callback-none')
    const task = await submit('e2e-kie-brief', '', 3)
    await untilEnded(house, task.id, 30_000)
    const { task: after, row, vendors: at } = await accountOf(task)
    expect([after.state, after.artifacts.length, at.kie.creates]).toEqual(['succeeded', 2, 3])
    expect(row?.costNanoUsd).toBe(2n * FILE_NANO_USD.kie)
    expect(row?.chargeNanoUsd).toBe((2n * FILE_NANO_USD.kie * 14n) / 10n)
    expect(at.kie.invoiceNanoUsd).toBe(3n * FILE_NANO_USD.kie)
  })

  test('is charged for what came, though the others failed or were refused', async () => {
    await vendors.kie.faultNext('job-moderated', 'create-422', 'job-fails')
    const task = await submit('e2e-kie', '', 4)
    await untilEnded(house, task.id, 30_000)
    const { task: after, row, vendors: at } = await accountOf(task)
    expect([after.state, after.artifacts.length, at.kie.creates]).toEqual(['succeeded', 1, 4])
    expect([row?.costNanoUsd, at.kie.invoiceNanoUsd]).toEqual([FILE_NANO_USD.kie, FILE_NANO_USD.kie])
  })
})

describe('a client that waits for its pictures', () => {
  test.each([
    ['for one that never comes', '-brief', 'never-ends', 504, 'timed_out'],
    ['for one that its vendor fails to make', '', 'job-fails', 502, 'upstream_failed'],
  ])('%s is told so, and pays nothing', async (_, twin, words, status, outcome) => {
    const answer = await house.post('/api/v1/images', {
      model: `e2e-fal${twin}`,
      prompt: `a fox [[sim ${words}]]`,
    })
    expect([answer.status, answer.headers.get('x-ai-credits-charged')]).toEqual([status, '0'])
    const id = answer.headers.get('x-request-id')
    const row = (await house.books.usage(house.payer.workspace)).find(one => one.requestId === id)
    expect([row?.outcome, row?.chargeNanoUsd]).toEqual([outcome, 0n])
  })
})

/** Last: it takes fal away. */
describe('a vendor that is away', () => {
  test('is passed over for the next, and never counted as asked', async () => {
    await vendors.fal.stop()
    const task = { id: await house.submit('e2e-chain', 'a fox away=1;', 1), mark: 'away=1;' }
    const ended = await untilEnded(house, task.id, 40_000)
    expect([ended.state, ended.provider]).toEqual(['succeeded', 'replicate'])
    const row = (await house.books.usage(house.payer.workspace)).find(
      one => one.requestId === `req_${task.id}`,
    )
    expect(row?.chargeNanoUsd).toBe((FILE_NANO_USD.replicate * 14n) / 10n)
  }, 60_000)

  test('and after all that the books are whole', async () => {
    await expectAccountedFor(house.books, house.payer)
    await expectCleanAudit(house.server)
    expect(house.server.log()).not.toMatch(/sk-simulated|sk-e2e-provider|a step of a task failed/)
  })
})
