import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GatewayError } from '#spec/errors.ts'
import { nanoUsdFromDollars } from '#spec/money.ts'
import { type ModelEntry, modelSchema } from '#spec/offering.ts'
import type { Catalog } from './catalog.ts'
import { CatalogError } from './catalog-files.ts'
import { loadCatalog } from './load.ts'
import { offeringsFor } from './offerings.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'catalog-'))
})
afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

interface Fields {
  [field: string]: unknown
}

function entry(id: string, fields: Fields = {}): Fields {
  return { id, name: id, vendor: 'acme', operation: 'chat', offerings: [offering('acme')], ...fields }
}

function offering(provider: string, price: Fields | undefined = { input: '2', output: '8' }): Fields {
  return { provider, upstream_model: 'up', price_usd_per_million_tokens: price }
}

/** Writes `file` (a path below the test's root) with the models, one to a line after the first. */
function write(file: string, models: readonly Fields[]): void {
  writeText(file, `{ "models": [\n${models.map(model => JSON.stringify(model)).join(',\n')}\n] }\n`)
}

function writeText(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), text)
}

function load(folders: readonly string[], extraModels?: readonly ModelEntry[]): Catalog {
  return loadCatalog({ folders: folders.map(folder => join(root, folder)), extraModels })
}

function problemsOf(folders: readonly string[]): string[] {
  try {
    load(folders)
  } catch (error) {
    if (error instanceof CatalogError) return error.problems.map(line => line.replaceAll(`${root}/`, ''))
    throw error
  }
  return []
}

function refusal(run: () => unknown): GatewayError {
  try {
    run()
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('loading', () => {
  it('reads every file below a folder and applies the price fall-backs', () => {
    write('a/chat/one.json', [entry('one')])
    write('a/embed/two.json', [
      entry('two', { operation: 'embed', offerings: [offering('acme', { input: '0.02' })] }),
    ])
    const catalog = load(['a'])
    expect(catalog.list('live').map(model => model.id)).toEqual(['one', 'two'])
    const two = nanoUsdFromDollars('2')
    expect(catalog.find('one', 'live')?.offerings[0]).toEqual({
      id: 'acme/up',
      provider: 'acme',
      upstreamModel: 'up',
      price: {
        inputNanoUsd: two,
        cachedInputNanoUsd: two,
        cacheWriteNanoUsd: two,
        outputNanoUsd: nanoUsdFromDollars('8'),
        longContext: undefined,
      },
      endpoints: {},
    })
    expect(catalog.find('two', 'live')).toMatchObject({ maxOutputTokens: 0, maxImageTokens: 16_384 })
  })

  it('keeps a cache write in a long context at least as dear as in a short one', () => {
    const long = { above_input_tokens: 100, input: '3', output: '9' }
    const price = { input: '2', output: '8', cache_write: '2.5', long_context: long }
    const dear = { ...price, cache_write: '5' }
    write('a/x.json', [entry('one', { offerings: [offering('acme', price), offering('b', dear)] })])
    const prices = load(['a'])
      .find('one', 'live')
      ?.offerings.map(one => one.price?.longContext)
    expect(prices?.map(one => one?.cacheWriteNanoUsd)).toEqual([
      nanoUsdFromDollars('3'),
      nanoUsdFromDollars('5'),
    ])
  })

  it('replaces the whole entry where a later folder has the same id, and frees its aliases', () => {
    write('a/x.json', [entry('one', { aliases: ['uno'] })])
    write('b/x.json', [entry('one', { name: 'Mine' }), entry('two', { aliases: ['uno'] })])
    const catalog = load(['a', 'b'])
    expect(catalog.find('one', 'live')?.name).toBe('Mine')
    expect(catalog.find('uno', 'live')?.id).toBe('two')
  })

  it('changes the revision with any byte of the data, and with nothing else', () => {
    write('a/x.json', [entry('one')])
    const first = load(['a']).revision
    expect(load(['a']).revision).toBe(first)
    write('a/x.json', [entry('one', { name: 'another' })])
    expect(load(['a']).revision).not.toBe(first)
  })

  it('does not look for models in the table of fixed prices', () => {
    write('a/x.json', [entry('one')])
    writeText('a/fixed-prices.json', '{ "prices": {} }')
    expect(load(['a']).list('live')).toHaveLength(1)
  })

  it('gives a chat model without limits a high output bound', () => {
    write('a/x.json', [entry('one'), entry('two', { context_tokens: 5000 })])
    const catalog = load(['a'])
    expect(catalog.find('one', 'live')?.maxOutputTokens).toBe(131_072)
    expect(catalog.find('two', 'live')?.maxOutputTokens).toBe(5000)
  })
})

describe('a mistake in the data', () => {
  it('is refused with file, line, model and field, every mistake at once', () => {
    write('a/good.json', [entry('fine')])
    write('a/x.json', [
      entry('one', { offerings: [offering('acme', { input: 2, output: '8' })] }),
      entry('two', { offerings: [offering('acme', { input: '1e-7', output: '8' })] }),
      entry('three', { contextTokens: 7 }),
      { id: 'four' },
    ])
    const problems = problemsOf(['a'])
    expect(problems).toContainEqual(
      expect.stringMatching(
        /^a\/x\.json:2: models\[0\] \(one\)\.offerings\[0\]\.price_usd_per_million_tokens\.input: /,
      ),
    )
    expect(problems).toContainEqual(
      expect.stringMatching(/^a\/x\.json:3: models\[1\] \(two\).*\.input: .*decimal/),
    )
    expect(problems).toContainEqual(
      expect.stringMatching(/^a\/x\.json:4: models\[2\] \(three\)\.contextTokens: /),
    )
    expect(problems).toContainEqual(expect.stringMatching(/^a\/x\.json:5: models\[3\] \(four\)\.vendor: /))
  })

  it('names the line of a field deep in a file, past strings with quotes and brackets', () => {
    writeText(
      'a/x.json',
      '{\n"$comment": "a \\" } ] {",\n"models": [\n{ "id": "one", "name": "[\\\\", "vendor": "v",\n"operation": "chat", "vision":\n"yes" }]}',
    )
    expect(problemsOf(['a'])).toEqual([expect.stringMatching(/^a\/x\.json:5: models\[0\] \(one\)\.vision: /)])
  })

  it('is refused where a file is no JSON, a folder is missing, or the file has another shape', () => {
    writeText('a/x.json', '{ "models": [')
    writeText('b/x.json', '[]')
    expect(problemsOf(['a'])).toEqual([expect.stringMatching(/^a\/x\.json: not JSON: /)])
    expect(problemsOf(['b'])).toEqual([expect.stringMatching(/^b\/x\.json:1: the file: /)])
    expect(problemsOf(['missing'])).toEqual([
      expect.stringMatching(/^.*missing: the catalogue folder cannot be read/),
    ])
  })

  it('is refused where two models share a name in any case, naming both places', () => {
    write('a/x.json', [entry('one', { aliases: ['Uno'] })])
    write('a/y.json', [entry('two', { aliases: ['uno'] })])
    expect(problemsOf(['a'])).toEqual(['a/y.json:2: two: the name "uno" already belongs to one (a/x.json:2)'])
    write('a/y.json', [entry('one')])
    expect(problemsOf(['a'])).toContainEqual('a/y.json:2: the id "one" is also at a/x.json:2')
  })

  it('lets an alias repeat its own model in another case', () => {
    write('a/x.json', [entry('one', { aliases: ['ONE'] })])
    expect(load(['a']).find('ONE', 'live')?.id).toBe('one')
  })

  it('is refused where a successor or a substitute leads nowhere, in a circle or to another operation', () => {
    write('a/x.json', [
      entry('one', { successor: 'two' }),
      entry('two', { successor: 'one' }),
      entry('three', { successor: 'nine', substitutes: ['three', 'eight', 'vectors'] }),
      entry('vectors', { operation: 'embed' }),
    ])
    expect(problemsOf(['a'])).toEqual([
      'a/x.json:2: one: successor: the chain of successors comes back to "one"',
      'a/x.json:3: two: successor: the chain of successors comes back to "two"',
      'a/x.json:4: three: substitutes: a model cannot stand in for itself',
      'a/x.json:4: three: substitutes: there is no model with the id "eight"',
      'a/x.json:4: three: substitutes: "vectors" is for embed, not for chat',
      'a/x.json:4: three: successor: there is no model with the id "nine"',
    ])
  })

  it('is refused where a price could bill a hit above a miss, output for nothing, or a long context below a short one', () => {
    const long = { above_input_tokens: 10, input: '1', cached_input: '1.5' }
    write('a/x.json', [
      entry('one', {
        offerings: [offering('acme', { input: '2', cached_input: '2.000000001', long_context: long })],
      }),
    ])
    const problems = problemsOf(['a']).join('\n')
    expect(problems).toMatch(/a\/x\.json:2: one: offerings\[0\]\.price_usd_per_million_tokens\.output: /)
    expect(problems).toMatch(/price_usd_per_million_tokens\.cached_input: is above input/)
    expect(problems).toMatch(/long_context\.cached_input: is above input/)
    expect(problems).toMatch(/long_context\.input: is below the price of a short context/)
  })
})

describe('finding a model', () => {
  const sandbox = modelSchema.parse(entry('sandbox/slow', { offerings: [] }))

  it('prefers a name as written, then finds it in any case', () => {
    write('a/x.json', [entry('vendor/One', { aliases: ['uno'] })])
    const catalog = load(['a'])
    expect(catalog.find('vendor/One', 'live')?.id).toBe('vendor/One')
    expect(catalog.find('VENDOR/ONE', 'live')?.id).toBe('vendor/One')
    expect(catalog.find('UNO', 'live')?.id).toBe('vendor/One')
    expect(catalog.find('x'.repeat(1_000_000), 'live')).toBeUndefined()
    expect(catalog.find('__proto__', 'live')).toBeUndefined()
  })

  it('tells what an alias asks for, as written or in any case', () => {
    const media = { actions: ['text2img', 'img2img'] }
    const fields = { operation: 'image', media, offerings: [], aliases: ['One/Edit', 'uno'] }
    write('a/x.json', [entry('one', { ...fields, alias_actions: { 'One/Edit': 'img2img' } })])
    const catalog = load(['a'])
    const asked = (name: string) => catalog.resolve(name, { mode: 'test', today: '2026-11-20' }).action
    expect([asked('One/Edit'), asked('one/edit'), asked('uno'), asked('one')]).toEqual([
      'img2img',
      'img2img',
      undefined,
      undefined,
    ])
  })

  it('lists for the public the models that something has a price for', () => {
    write('a/x.json', [
      entry('one'),
      entry('two', { offerings: [{ provider: 'a', upstream_model: 'b' }] }),
      entry('three', {
        operation: 'mesh',
        media: { actions: ['text2_3d'] },
        offerings: [{ provider: 'a', upstream_model: 'b', price: { unit: 'generation', usd: '1' } }],
      }),
    ])
    expect(
      load(['a'])
        .publicModels()
        .map(model => model.id),
    ).toEqual(['one', 'three'])
  })

  it('answers an unknown name with near ones', () => {
    write('a/x.json', [
      entry('gpt-4o', { aliases: ['openai/gpt-4o'] }),
      entry('gpt-4o-mini'),
      entry('claude'),
    ])
    const error = refusal(() => load(['a']).resolve('gpt-4oo', { mode: 'live', today: '2026-11-20' }))
    expect(error).toMatchObject({ code: 'model_not_found', param: 'model' })
    expect(error.nearby[0]).toBe('gpt-4o')
    expect(error.nearby).not.toContain('claude')
    expect(error.message).toContain('gpt-4o')
  })

  it('shows test-only models to test keys alone', () => {
    write('a/x.json', [entry('one')])
    const catalog = load(['a'], [sandbox])
    expect(catalog.find('sandbox/slow', 'test')?.id).toBe('sandbox/slow')
    expect(catalog.find('sandbox/slow', 'live')).toBeUndefined()
    expect(catalog.list('live').map(model => model.id)).toEqual(['one'])
    expect(catalog.list('test').map(model => model.id)).toEqual(['one', 'sandbox/slow'])
    const error = refusal(() => catalog.resolve('sandbox/slow', { mode: 'live', today: '2026-11-20' }))
    expect(error.code).toBe('model_not_found')
    expect(error.nearby).toEqual([])
  })
})

describe('retirement', () => {
  const when = (today: string) => ({ mode: 'live', today }) as const

  it('hands over along the chain of successors from the day itself', () => {
    write('a/x.json', [
      entry('one', { retires_on: '2026-12-11', successor: 'two' }),
      entry('two', { retires_on: '2027-01-14', successor: 'three' }),
      entry('three'),
    ])
    const catalog = load(['a'])
    const served = (today: string) => catalog.resolve('one', when(today)).model.id
    expect([served('2026-12-10'), served('2026-12-11'), served('2027-01-14')]).toEqual([
      'one',
      'two',
      'three',
    ])
    expect(catalog.resolve('one', when('2027-01-14')).requested.id).toBe('one')
  })

  it('refuses a retired model without a successor, offering near ones that are served', () => {
    write('a/x.json', [
      entry('gpt-1', { retires_on: '2026-01-01' }),
      entry('gpt-2', { retires_on: '2026-01-01' }),
      entry('gpt-3'),
    ])
    const error = refusal(() => load(['a']).resolve('gpt-1', when('2026-11-20')))
    expect(error).toMatchObject({ code: 'model_retired', nearby: ['gpt-3'] })
    expect(error.message).toContain('2026-01-01')
  })

  it('means nothing to a test key', () => {
    write('a/x.json', [entry('one', { retires_on: '2026-01-01' })])
    expect(load(['a']).resolve('one', { mode: 'test', today: '2030-01-01' }).model.id).toBe('one')
  })
})

describe('the offerings of a call', () => {
  const priced = (input: string, output: string) => ({ input, output })

  function model(offerings: readonly Fields[]) {
    write('a/x.json', [entry('one', { offerings })])
    const found = load(['a']).find('one', 'live')
    if (found === undefined) throw new Error('not found')
    return found
  }

  it('are those of configured providers with a price, in the order of the catalogue', () => {
    const one = model([
      offering('a', priced('5', '5')),
      { provider: 'b', upstream_model: 'b' },
      offering('c', priced('1', '1')),
      offering('d'),
    ])
    const used = offeringsFor(one, 'live', new Set(['c', 'b', 'a']))
    expect(used.map(one => one.id)).toEqual(['a/up', 'c/up'])
  })

  it('are refused without a price before anything about providers is said', () => {
    const one = model([{ provider: 'b', upstream_model: 'b' }, offering('a')])
    expect(refusal(() => offeringsFor(one, 'live', new Set(['b']))).code).toBe('model_without_price')
    const none = model([])
    expect(refusal(() => offeringsFor(none, 'live', new Set(['b']))).code).toBe('model_without_price')
  })

  it('are unavailable where no provider is configured; only the log learns which setting is missing', () => {
    const one = model([offering('openai'), offering('open-router')])
    const error = refusal(() => offeringsFor(one, 'live', new Set()))
    expect(error.code).toBe('model_unavailable')
    expect(error.message).toBe('No provider for this model is configured on this gateway.')
    expect(String(error.cause)).toContain('OPENAI_API_KEY, OPEN_ROUTER_API_KEY')
  })

  it("are the sandbox alone with a test key, at the model's dearest price or a nominal one", () => {
    const one = model([offering('a', priced('2', '8')), offering('b', priced('3', '9'))])
    expect(offeringsFor(one, 'test', new Set(['a']))).toEqual([
      {
        id: 'sandbox/one',
        provider: 'sandbox',
        upstreamModel: 'one',
        price: one.offerings[1]?.price,
        endpoints: {},
      },
    ])
    const [nominal] = offeringsFor(model([]), 'test', new Set())
    expect(nominal?.price).toMatchObject({
      inputNanoUsd: nanoUsdFromDollars('1'),
      outputNanoUsd: nanoUsdFromDollars('4'),
    })
  })
})
