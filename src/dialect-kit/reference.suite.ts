/** What is said of a dialect's endpoints must be true of them. A dialect's `dialect.test.ts` calls `testReferences`. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Dialect, Endpoint } from '#spec/dialect.ts'
import type { Sample } from './conformance.suite.ts'
import { serveInMemory } from './in-memory-http.ts'
import { type GatewayScript, GOOD_KEY, ScriptedGateway } from './scripted-gateway.ts'

export interface ReferenceExpectations {
  readonly dialect: Dialect
  readonly script: GatewayScript
  readonly samples: readonly Pick<Sample, 'endpoint' | 'url' | 'body'>[]
}

/** Declares the suite. */
export function testReferences({ dialect, script, samples }: ReferenceExpectations): void {
  describe(`the reference of ${dialect.id}`, () => {
    it.each(dialect.endpoints.map(one => [nameOf(one), one] as const))('%s is described', (_, endpoint) => {
      const { reference } = endpoint
      if (reference === undefined) throw new Error('it has no reference')
      const { body, query, answer, example } = reference
      for (const schema of [body?.schema, query, answer.schema]) {
        if (schema !== undefined) expect(z.toJSONSchema(schema, { io: 'input' })).toBeTypeOf('object')
      }
      if (body !== undefined) body.schema.parse(example.body)
      if (query !== undefined) query.parse(example.query ?? {})
      const named = [...endpoint.path.matchAll(/:([a-zA-Z]+)|(\*)$/g)].map(match => match[1] ?? '*')
      expect(Object.keys(example.params ?? {})).toEqual(named)
    })

    it.each(samples)('$endpoint answers as described', async ({ endpoint: name, url, body }) => {
      const described = dialect.endpoints.find(one => nameOf(one) === name)?.reference?.answer
      if (described === undefined) throw new Error(`the dialect has no ${name}`)
      const answer = await serveInMemory(dialect, new ScriptedGateway(script), {
        method: name.split(' ')[0] ?? '',
        url,
        headers: { authorization: `Bearer ${GOOD_KEY}` },
        body: body === undefined ? undefined : JSON.stringify(body),
      })
      expect(answer.status).toBe(200)
      expect(answer.contentType).toContain(described.contentType ?? 'application/json')
      const text = answer.body.toString()
      described.schema.parse(answer.streamed ? text : JSON.parse(text))
    })
  })
}

function nameOf({ method, path }: Endpoint): string {
  return `${method} ${path}`
}
