import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '#spec/errors.ts'
import { checkInput, defaultsOf } from './check-input.ts'
import { type FieldRule, type FieldRules, MARKET } from './rule.ts'

const IDS = [...MARKET.keys()]

/** Any value that the rule allows. */
function allowedBy(rule: FieldRule): fc.Arbitrary<unknown> {
  if (rule.enum !== undefined) return fc.constantFrom(...rule.enum)
  const { min, max } = rule.range ?? {}
  switch (rule.type) {
    case 'string':
      return fc.string({ minLength: rule.length?.min ?? 0, maxLength: Math.min(rule.length?.max ?? 40, 40) })
    case 'integer':
      return fc.integer({ min: min ?? -1, max: max ?? 2 ** 31 })
    case 'number':
      return fc.double({ min: min ?? 0, max: max ?? 1e9, noNaN: true, noDefaultInfinity: true })
    case 'boolean':
      return fc.boolean()
    case 'array':
      return fc.array(allowedBy(rule.items ?? { type: 'any' }), {
        minLength: rule.count?.min ?? 0,
        maxLength: Math.min(rule.count?.max ?? 4, 4 + (rule.count?.min ?? 0)),
      })
    case 'object':
      return objectBy(rule.fields ?? {})
    default:
      return fc.jsonValue()
  }
}

function objectBy(rules: FieldRules): fc.Arbitrary<Record<string, unknown>> {
  const required = Object.keys(rules).filter(name => rules[name]?.required)
  return fc.record(Object.fromEntries(Object.entries(rules).map(([name, rule]) => [name, allowedBy(rule)])), {
    requiredKeys: required,
  }) as fc.Arbitrary<Record<string, unknown>>
}

/** Something that is against the rule, or `undefined` where nothing is. */
function againstRule(rule: FieldRule): unknown {
  if (rule.enum !== undefined) return 'no such value'
  if (rule.count?.max !== undefined) return Array.from({ length: rule.count.max + 1 }, () => 'x')
  if (rule.length?.max !== undefined) return 'x'.repeat(rule.length.max + 1)
  if (rule.range?.max !== undefined) return rule.range.max + 1
  return rule.type === 'any' ? undefined : rule.type === 'object' ? 'text' : { no: 'such thing' }
}

const CASES = [...MARKET].flatMap(([id, { inputs }]) =>
  inputs.map((rules, index) => ({ id, rules, name: inputs.length === 1 ? id : `${id} (${index + 1})` })),
)

it('has rules for the 148 documented ids', () => {
  expect(IDS).toHaveLength(148)
})

describe.each(CASES)('$name', ({ id, rules }) => {
  const alternatives = MARKET.get(id)?.inputs ?? []

  it('takes whatever its rules allow, and gives it back as it came', () => {
    fc.assert(
      fc.property(objectBy(rules), input => {
        expect(checkInput([rules], input)).toEqual(input)
        expect(() => checkInput(alternatives, input)).not.toThrow()
      }),
      { numRuns: 15 },
    )
  })

  it('refuses every field that is against its rule, by name', () => {
    const [good] = fc.sample(objectBy(rules), { numRuns: 1, seed: 7 })
    for (const [name, rule] of Object.entries(rules)) {
      const bad = againstRule(rule)
      if (bad === undefined) continue
      expect(refusalOf([rules], { ...good, [name]: bad })).toMatch(new RegExp(`^input\\.${name}($|\\[|\\.)`))
    }
  })

  it('refuses an input that lacks what it needs', () => {
    const [good] = fc.sample(objectBy(rules), { numRuns: 1, seed: 7 })
    for (const [name, rule] of Object.entries(rules)) {
      if (!rule.required || rule.default !== undefined) continue
      expect(refusalOf([rules], { ...good, [name]: undefined })).toBe(`input.${name}`)
      expect(refusalOf([rules], { ...good, [name]: null })).toBe(`input.${name}`)
    }
  })

  it('has a default that its own rule allows', () => {
    for (const rule of Object.values(rules)) {
      if (rule.default === undefined || rule.enum === undefined) continue
      expect(rule.enum).toContain(rule.default)
    }
  })
})

/** The field that is named in the refusal; empty where nothing was refused. */
function refusalOf(alternatives: readonly FieldRules[], input: Record<string, unknown>): string {
  try {
    checkInput(alternatives, input)
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'invalid_request') return error.param ?? 'no field'
    throw error
  }
  return ''
}

const DURATION: FieldRules = { duration: { type: 'string', enum: ['5', '10'] } }

it.each([
  ['a number where the page says text', DURATION, { duration: 5 }, { duration: '5' }],
  ['text where the page says a number', { n: { type: 'integer' } }, { n: '7' }, { n: 7 }],
  ['an unknown field', DURATION, { extra: [1] }, { extra: [1] }],
  ['null for a field that may be left out', DURATION, { duration: null }, {}],
] as const)('%s is taken', (_, rules, input, expected) => {
  expect(checkInput([rules as FieldRules], input)).toEqual(expected)
})

it.each([
  ['a number where words are meant', { prompt: { type: 'string' } }, { prompt: 5 }],
  ['words where a number is meant', { n: { type: 'number' } }, { n: 'five' }],
  ['half of a whole number', { n: { type: 'integer' } }, { n: 1.5 }],
  ['an infinite number', { n: { type: 'number' } }, { n: Number.POSITIVE_INFINITY }],
  ['an array where an object is meant', { o: { type: 'object' } }, { o: [] }],
] as const)('%s is refused', (_, rules, input) => {
  expect(refusalOf([rules as FieldRules], input)).not.toBe('')
})

it('counts characters as people do', () => {
  const rules: FieldRules = { prompt: { type: 'string', length: { max: 2 } } }
  expect(refusalOf([rules], { prompt: '🦊🦊' })).toBe('')
  expect(refusalOf([rules], { prompt: '🦊🦊🦊' })).toBe('input.prompt')
})

it('never repeats what a client wrote', () => {
  const rules: FieldRules = { prompt: { type: 'string', length: { max: 3 } } }
  expect(() => checkInput([rules], { prompt: 'my secret' })).toThrow(
    "Invalid 'input.prompt': expected a string of at most 3 characters, got a string.",
  )
})

it('names the field of the alternative that was meant', () => {
  const alternatives = MARKET.get('pixverse-v6/extend')?.inputs ?? []
  const good = { prompt: 'on and on', duration: 5, quality: '720p' }
  expect(refusalOf(alternatives, { ...good, video_url: 7 })).toBe('input.video_url')
  expect(refusalOf(alternatives, { ...good, taskId: 7 })).toBe('input.taskId')
})

it('knows the documented defaults', () => {
  expect(defaultsOf(MARKET.get('bytedance/seedance-2')?.inputs ?? [])).toEqual({
    resolution: '720p',
    duration: 5,
    generate_audio: true,
    return_last_frame: false,
    aspect_ratio: '16:9',
  })
})
