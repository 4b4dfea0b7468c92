/** An operator can read which endpoints are not known: GUESSED.md is the catalogue's endpoints without those of the table. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { KNOWN_ENDPOINTS } from './endpoints.ts'

const CATALOGUE = new URL('../../../catalog/', import.meta.url)

interface Offering {
  readonly provider: string
  readonly upstream_model?: string
  readonly endpoints?: Readonly<Record<string, string>>
}

function catalogueEndpoints(): ReadonlySet<string> {
  const endpoints = new Set<string>()
  for (const name of readdirSync(CATALOGUE, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.json')) continue
    const { models = [] } = JSON.parse(readFileSync(new URL(name, CATALOGUE), 'utf8'))
    const offerings: Offering[] = models.flatMap((model: { offerings?: Offering[] }) => model.offerings ?? [])
    for (const { provider, upstream_model, endpoints: byAction } of offerings) {
      if (provider !== 'fal') continue
      for (const endpoint of [upstream_model, ...Object.values(byAction ?? {})])
        if (endpoint !== undefined) endpoints.add(endpoint)
    }
  }
  return endpoints
}

test('every endpoint of the catalogue is in the table, or listed as guessed', () => {
  const known = new Set(KNOWN_ENDPOINTS)
  const text = readFileSync(new URL('./GUESSED.md', import.meta.url), 'utf8')
  const listed = [...text.matchAll(/^- `([^`]+)`$/gm)].map(match => match[1] ?? '')
  const guessed = [...catalogueEndpoints()].filter(endpoint => !known.has(endpoint))
  expect(listed.toSorted()).toEqual(guessed.toSorted())
})
