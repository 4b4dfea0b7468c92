import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJsonPath, readAll, readOne } from './json-path.ts'

const all = (value: unknown, path: string) => readAll(value, parseJsonPath(path))
const JOB = { data: { items: [{ url: 'a' }, { url: 'b' }, {}], 'x-1': { z: 1 }, '0': 'zero' } }

describe('a path gives', () => {
  test.each([
    ['data.items[1].url', ['b']],
    ['data.items[*].url', ['a', 'b']],
    ['data.items[9].url', []],
    ['data.x-1[*]', [1]],
    ['data.0', ['zero']],
    ['data.items.url', []],
    ['data.items[0].url.length', []],
    ['$', [JOB]],
  ])('for %s', (path, expected) => {
    expect(all(JOB, path)).toEqual(expected)
  })

  test('the items of a list at the root', () => {
    expect(all(['u', 'v'], '[*]')).toEqual(['u', 'v'])
    expect(readOne(['u', 'v'], parseJsonPath('[1]'))).toBe('v')
  })

  test('nothing inherited', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'prototype']) {
      expect(all(JOB, name)).toEqual([])
      expect(all(JOB, `data.items.${name}`)).toEqual([])
    }
  })

  test('at most a thousand values, however wide the document', () => {
    const wide = Array.from({ length: 300 }, () => Array.from({ length: 300 }, () => 1))
    expect(all(wide, '[*][*]')).toHaveLength(1000)
  })
})

test.each([
  '',
  '.',
  'a.',
  '.a',
  'a..b',
  'a[',
  'a[]',
  'a[-1]',
  'a[x]',
  'a b',
  "a['b']",
  'a[*',
  'a]',
  'a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q',
])('"%s" is refused when it is written, not when it is read', path => {
  expect(() => parseJsonPath(path)).toThrow(TypeError)
})

test('any text is a path or a TypeError, and any path reads any document without an error', () => {
  fc.assert(
    fc.property(fc.string(), fc.jsonValue(), (text, document) => {
      let path: ReturnType<typeof parseJsonPath>
      try {
        path = parseJsonPath(text)
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
        return
      }
      expect(readAll(document, path).length).toBeLessThanOrEqual(1000)
    }),
  )
})

test('a path written from where a value is finds it', () => {
  const name = fc.stringMatching(/^[a-z_][a-z0-9_-]{0,6}$/)
  const step = fc.oneof(name, fc.nat(5))
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 10 }), fc.anything(), (steps, leaf) => {
      let document: unknown = leaf
      for (const one of steps.toReversed()) {
        if (typeof one === 'string') document = { [one]: document }
        else {
          const list: unknown[] = []
          list[one] = document
          document = list
        }
      }
      const text = steps
        .map(one => (typeof one === 'string' ? `.${one}` : `[${one}]`))
        .join('')
        .replace(/^\./, '')
      expect(readOne(document, parseJsonPath(text))).toBe(leaf)
    }),
  )
})
