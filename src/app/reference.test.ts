/** The reference of the product as it is: every endpoint is in it, and what it says holds. */
import { join } from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, test } from 'vitest'
import { BASE_URL } from '#dialect-kit/reference/base-url.ts'
import { exampleRequests, exampleText } from '#dialect-kit/reference/example.ts'
import { openApiDocument } from '#dialect-kit/reference/openapi.ts'
import { sectionsOf, undescribed } from '#dialect-kit/reference/operation.ts'
import { createReferenceSite } from '#dialect-kit/reference/reference-site.ts'
import { loadCatalog } from '#modules/catalog/index.ts'
import { fixedPriceOf } from '#modules/pricing/index.ts'
import { ERROR_CODES, GatewayError } from '#spec/errors.ts'
import type { Call } from '#spec/gateway.ts'
import { ROOT } from './config.ts'
import { INTRODUCTIONS, wholeReference } from './reference.ts'

const catalog = loadCatalog({ folders: [join(ROOT, 'catalog')], extraModels: [] })

/** The catalogue as it is, for whoever holds a test key. */
const options = await wholeReference({
  credits: { nanoUsdPerCredit: 10_000_000n },
  model(_call, name) {
    const model = catalog.find(name, 'test')
    if (model === undefined) throw new GatewayError('model_not_found', 'No such model.')
    return model
  },
  models: () => catalog.list('test'),
  publicModels: () => catalog.publicModels(),
  fixedPrice: (dialect, model) => fixedPriceOf(dialect, model),
})
const dialects = options.sources.map(({ dialect }) => dialect)

test('every endpoint of every dialect is described', () => {
  expect(undescribed(dialects)).toEqual([])
})

test('every dialect is introduced', () => {
  expect(Object.keys(INTRODUCTIONS).sort()).toEqual(dialects.map(({ id }) => id).sort())
})

const document = openApiDocument(options)
const json = JSON.parse(JSON.stringify(document)) as Record<string, unknown>
const sections = sectionsOf(options)
const operations = sections.flatMap(section =>
  section.operations.map(operation => ({
    section,
    operation,
    name: `${section.id} ${operation.method} ${operation.path}`,
  })),
)

interface OperationObject {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly requestBody?: { content: Record<string, { schema: object }> }
}

const operationAt = (path: string, method: string) =>
  (document.paths[path] as Record<string, OperationObject> | undefined)?.[method.toLowerCase()]

const ajv = new Ajv2020({ strict: false, schemas: [{ $id: 'reference', ...json }] })
addFormats.default(ajv)

describe('the OpenAPI document', () => {
  test('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(json)
    expect(errors).toBeUndefined()
    expect(valid).toBe(true)
  })

  test.each(operations)('has $name', ({ operation: { path, method } }) => {
    expect(operationAt(path, method)).toBeDefined()
  })

  test('calls no two operations the same, and knows every tag', () => {
    const all = Object.values(document.paths).flatMap(
      methods => Object.values(methods).filter(one => !Array.isArray(one)) as OperationObject[],
    )
    const ids = all.map(({ operationId }) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
    const declared = (document.tags as { name: string }[]).map(({ name }) => name)
    expect(new Set(declared).size).toBe(declared.length)
    expect(new Set(all.flatMap(({ tags }) => tags))).toEqual(new Set(declared))
  })

  test('gives a shared path the bodies of all who claim it', () => {
    for (const { method, path } of options.collisions) {
      const claimants = operations.filter(
        ({ operation }) => operation.method === method && operation.path === path,
      )
      const operation = operationAt(path, method)
      expect(operation?.tags).toHaveLength(claimants.length)
      expect(JSON.stringify(operation)).toContain('the first of these that holds decides')
    }
  })
})

describe('callbacks', () => {
  interface CallbackObject {
    readonly requestBody: {
      content: Record<string, { schema: object; examples: Record<string, { value: unknown }> }>
    }
    readonly parameters: readonly { $ref: string }[]
  }
  const { webhooks } = document as unknown as { webhooks: Record<string, { post: CallbackObject }> }
  const asked = operations.flatMap(({ operation, name }) => {
    const found = operationAt(operation.path, operation.method) as unknown as {
      callbacks?: { task: Record<string, { post: CallbackObject }> }
    }
    const field = Object.keys(operation.body?.schema.properties ?? {}).find(one => /^callbackurl$/i.test(one))
    const at = found?.callbacks?.task[`{$request.body#/${field}}`]
    return field === undefined ? [] : [{ name, post: at?.post }]
  })

  function expectWhole(post: CallbackObject | undefined): void {
    const { schema, examples } = post?.requestBody.content['application/json'] ?? {
      schema: false,
      examples: {},
    }
    const validate = ajv.compile(
      '$ref' in Object(schema) ? { $ref: `reference${(schema as { $ref: string }).$ref}` } : schema,
    )
    expect(Object.keys(examples).length).toBeGreaterThan(0)
    for (const { value } of Object.values(examples)) {
      expect(validate(value), JSON.stringify(validate.errors)).toBe(true)
    }
    const { parameters } = document.components as { parameters: Record<string, { name: string }> }
    const headers = post?.parameters.map(({ $ref }) => parameters[$ref.split('/').at(-1) ?? '']?.name)
    expect(headers).toEqual(expect.arrayContaining(['webhook-id', 'webhook-timestamp', 'webhook-signature']))
  }

  test('of every dialect whose tasks are made by its own calls are described, with bodies that pass', () => {
    expect(Object.keys(webhooks)).toEqual(['kie-task', 'studio-task', 'tasks-task', 'imgeo-task'])
    for (const { post } of Object.values(webhooks)) expectWhole(post)
  })

  test.each(asked)('are described where $name asks for one', ({ post }) => expectWhole(post))

  test('of what is made of a track name the film and the parts that come', () => {
    const dataOf = (path: string) => {
      const { post } = asked.find(({ name }) => name.endsWith(path)) ?? {}
      return Object.values(post?.requestBody.content['application/json']?.examples ?? {})[0]?.value
    }
    expect(dataOf('/mp4/generate')).toMatchObject({ data: { video_url: expect.any(String) } })
    const parts = { origin_url: expect.any(String), vocal_url: expect.any(String) }
    expect(dataOf('/vocal-removal/generate')).toMatchObject({ data: { vocal_separation_info: parts } })
  })

  test('are asked for by more than thirty calls', () => expect(asked.length).toBeGreaterThan(30))

  test('say of each header that a dialect adds what it is', () => {
    const names = (webhooks['kie-task']?.post.parameters ?? []).map(({ $ref }) => $ref.split('/').at(-1))
    expect(names.slice(3)).toEqual(['kie-x-webhook-timestamp', 'kie-x-webhook-signature'])
  })
})

describe('the example', () => {
  test.each(operations.filter(({ operation }) => operation.body !== undefined))(
    'body of $name passes its schema',
    ({ operation: { path, method, body, example } }) => {
      const shared = operationAt(path, method)?.requestBody?.content[body?.contentType ?? '']?.schema
      for (const schema of [body?.schema, shared]) {
        const validate = ajv.compile(schema ?? false)
        expect(validate(example.body), JSON.stringify(validate.errors)).toBe(true)
      }
    },
  )

  test.each(operations.filter(({ operation }) => operation.parameters.length > 0))(
    'parameters of $name pass their schemas',
    ({ operation: { parameters, example } }) => {
      const given = { ...example.params, ...example.query }
      const known = parameters.map(({ name }) => name)
      expect(Object.keys(example.query ?? {}).filter(name => !known.includes(name))).toEqual([])
      for (const { name, in: place, schema, isRequired } of parameters) {
        const value = given[name] ?? (place === 'path' ? given['*'] : undefined)
        if (isRequired) expect(value, name).toBeDefined()
        if (value !== undefined) expect(ajv.compile(schema)(value), name).toBe(true)
      }
    },
  )

  test('texts hold no key, and ask for one where it is needed', () => {
    for (const request of exampleRequests(options)) {
      for (const language of ['curl', 'javascript', 'python'] as const) {
        const text = exampleText(language, request)
        expect(text).not.toMatch(/sk-/)
        expect(text.includes('TOLLGATE_API_KEY')).toBe(request.needsKey)
      }
    }
  })
})

test.each(sections)('every error of $id passes the schema of its errors', ({ id, errors }) => {
  const validate = ajv.compile(errors.schema)
  const dialect = dialects.find(one => one.id === id)
  for (const code of ERROR_CODES) {
    for (const details of [{}, { param: 'a.b' }, { nearby: ['x'] }]) {
      const call = { requestId: '019b76da-a800-7000-8000-0123456789ab', billing: {} } as Call
      const answer = dialect?.renderError(new GatewayError(code, 'Sorry.', details), call, {
        credits: { nanoUsdPerCredit: 10_000_000n },
      })
      expect(validate(JSON.parse(String(answer?.body))), JSON.stringify(validate.errors)).toBe(true)
    }
  }
})

describe('the page', () => {
  const site = createReferenceSite(options)
  const textOf = (name: string) => String(site.page(name, 'https://ai.example.com')?.body ?? '')
  const names = ['', 'errors', 'callbacks', ...dialects.map(({ id }) => id)]

  test.each(names)('/docs/%s loads nothing from elsewhere and runs nothing', name => {
    const page = textOf(name)
    expect(page).toMatch(/^<!doctype html>/)
    expect(page).not.toMatch(/<script|<style|<iframe|<img|\sstyle=|\son\w+=|javascript:/i)
    const targets = [...page.matchAll(/(?:href|src)="([^"]*)"/g)].map(match => match[1])
    expect(targets.filter(target => !/^(#|\/docs|\/openapi\.json)/.test(target ?? ''))).toEqual([])
    expect(page).not.toContain(BASE_URL)
  })

  test.each(names)('/docs/%s has every place that it links to, each once', name => {
    const page = textOf(name)
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(match => match[1])
    expect(new Set(ids).size).toBe(ids.length)
    const anchors = [...page.matchAll(/href="#([^"]+)"/g)].map(match => match[1])
    expect(anchors.filter(anchor => !ids.includes(anchor))).toEqual([])
    const pages = [...page.matchAll(/href="\/docs\/?([^"#]*)"/g)].map(match => match[1] ?? '')
    expect(pages.filter(linked => site.page(linked, '') === undefined)).toEqual([])
    const elsewhere = [...page.matchAll(/href="\/docs\/([a-z-]+)#([^"]+)"/g)]
    for (const [, linked = '', anchor] of elsewhere) expect(textOf(linked)).toContain(` id="${anchor}"`)
  })

  test.each(sections)('/docs/$id has every endpoint of it', ({ id, operations: own }) => {
    const page = textOf(id)
    for (const operation of own) expect(page).toContain(`<article id="${operation.id}"`)
  })

  test('the address of the server is what the reader knows it by', () => {
    expect(textOf('openai')).toContain('curl https://ai.example.com/v1/chat/completions')
    expect(String(site.openApi('http://10.0.0.1:8787').body)).toContain('"url":"http://10.0.0.1:8787/v1"')
  })
})
