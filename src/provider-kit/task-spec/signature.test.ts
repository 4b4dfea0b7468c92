import { expect, test } from 'vitest'
import { parseSignature, parseSignatures } from './signature.ts'

test('a line of fields goes to the endpoints under it', () => {
  const signatures = parseSignatures('# a comment\n\nprompt! seed:n\n  a/b\n  a/c\nimage_urls!:l\n  a/d\n')
  expect([...signatures.keys()]).toEqual(['a/b', 'a/c', 'a/d'])
  expect(signatures.get('a/b')).toBe(signatures.get('a/c'))
  expect(signatures.get('a/d')?.get('image_urls')).toMatchObject({ type: 'list', required: true })
})

test('every part of a field is read', () => {
  const signature = parseSignature(
    'count!:n<=4 size:z(square|auto) resolution!(1~MP|4~MP)=1~MP ratio(16:9|1:1)',
  )
  expect(signature.get('count')).toMatchObject({ type: 'number', required: true, most: 4 })
  expect(signature.get('size')).toMatchObject({ type: 'size', choices: ['square', 'auto'], required: false })
  expect(signature.get('resolution')).toMatchObject({ choices: ['1 MP', '4 MP'], fallback: '1~MP' })
  expect(signature.get('ratio')?.choices).toEqual(['16:9', '1:1'])
})

test.each(['a b(', 'a:x', 'a!!', 'a(b', '=1'])('"%s" is refused at import', line => {
  expect(() => parseSignature(line)).toThrow(TypeError)
})

test('an endpoint before any fields is refused', () => {
  expect(() => parseSignatures('  a/b\n')).toThrow(TypeError)
})
