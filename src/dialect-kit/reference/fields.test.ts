import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { fieldRows } from './fields.ts'
import { jsonSchemaOf } from './json-schema.ts'

/** Each row as a line, indented by its depth. */
function lines(schema: z.ZodType): readonly string[] {
  return fieldRows(jsonSchemaOf(schema)).map(row => {
    const text =
      row.kind === 'form'
        ? `# ${row.text}`
        : [`${row.name}${row.isRequired ? '!' : ''}`, row.type, ...row.notes].join(' | ')
    return '  '.repeat(row.depth) + text
  })
}

describe('the table of a schema', () => {
  test('says of a field what it takes', () => {
    const schema = z.object({
      prompt: z.string().min(1).max(500).describe('What to draw'),
      count: z.int().min(1).max(4).default(1),
      ratio: z.enum(['1:1', '16:9']).nullish(),
      tags: z.array(z.string()).max(3).optional(),
      url: z.union([z.string(), z.array(z.string())]).optional(),
    })
    expect(lines(schema)).toEqual([
      'prompt! | string | What to draw. | At most 500 characters.',
      'count | whole number | 1 to 4. | Default `1`.',
      'ratio | string | One of `1:1`, `16:9`.',
      'tags | list of string | At most 3 items.',
      'url | string or list of string',
    ])
  })

  test('has the fields of objects and of lists below them', () => {
    const schema = z.object({ a: z.array(z.object({ b: z.object({ c: z.boolean() }).nullable() })) })
    expect(lines(schema)).toEqual(['a! | list of object', '  b! | object', '    c! | boolean'])
  })

  test('tells forms apart by what is the same in each', () => {
    const schema = z.object({
      part: z.discriminatedUnion('type', [
        z.object({ type: z.literal('text'), text: z.string() }),
        z.object({ type: z.literal('image'), url: z.string() }),
      ]),
    })
    expect(lines(schema)).toEqual([
      'part! | object',
      '  # Where `type` is `text`',
      '    text! | string',
      '  # Where `type` is `image`',
      '    url! | string',
    ])
  })

  test('leaves out what nobody may send', () => {
    expect(lines(z.object({ a: z.string(), b: z.never().optional(), c: z.null().optional() }))).toEqual([
      'a! | string',
    ])
  })

  test('ends, however deep a schema is', () => {
    let schema: z.ZodType = z.string()
    for (let depth = 0; depth < 40; depth++) schema = z.object({ inner: schema })
    expect(lines(schema)).toHaveLength(6)
  })
})
