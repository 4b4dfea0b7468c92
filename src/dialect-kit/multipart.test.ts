import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '#spec/errors.ts'
import { parseForm } from './multipart.ts'

const TYPE = 'multipart/form-data; boundary=X'

/** What a client would write for these parts. */
function formBody(...parts: readonly (readonly [header: string, value: string | Buffer])[]): Buffer {
  const written = parts.flatMap(([header, value]) => [
    Buffer.from(`--X\r\nContent-Disposition: form-data; ${header}\r\n\r\n`),
    Buffer.from(value),
    Buffer.from('\r\n'),
  ])
  return Buffer.concat([...written, Buffer.from('--X--\r\n')])
}

function codeOf(parse: () => unknown): string {
  try {
    parse()
  } catch (error) {
    if (error instanceof GatewayError) return error.code
    throw error
  }
  return 'none'
}

it('what the platform itself writes comes back whole', async () => {
  const form = new FormData()
  const bytes = Buffer.from([0, 1, 13, 10, 45, 45, 255])
  form.set('uploadPath', 'images/ünïcode')
  form.set('file', new File([bytes], 'a "b" ü.png', { type: 'image/png' }))
  const request = new Request('http://localhost', { method: 'POST', body: form })
  const type = request.headers.get('content-type') ?? undefined
  const { fields, files } = parseForm(Buffer.from(await request.arrayBuffer()), type)
  expect(fields.get('uploadPath')).toBe('images/ünïcode')
  expect(files).toEqual([{ name: 'file', fileName: 'a "b" ü.png', bytes }])
})

it('any bytes in any number of files survive', () => {
  const content = fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes))
  fc.assert(
    fc.property(fc.array(content, { maxLength: 6 }), contents => {
      const body = formBody(
        ...contents.map((bytes, index) => [`name="f${index}"; filename="${index}.bin"`, bytes] as const),
      )
      const { files } = parseForm(body, TYPE)
      expect(files.map(({ bytes }) => bytes)).toEqual(contents)
    }),
  )
})

it('no bytes at all make it throw anything but a refusal', () => {
  const pieces = fc.array(
    fc.constantFrom('--X', '\r\n', '--', ' ', 'Content-Disposition: form-data; name="a"', '\r\n\r\n', 'a'),
    { maxLength: 14 },
  )
  fc.assert(
    fc.property(pieces, parts => {
      expect(codeOf(() => parseForm(Buffer.from(parts.join('')), TYPE))).toMatch(
        /^(none|invalid_request|payload_too_large)$/,
      )
    }),
  )
})

describe('the name of a file', () => {
  it.each([
    ['name="file"; filename="C:\\\\tmp\\\\cat.png"', 'cat.png'],
    ['name="file"; filename="../../etc/passwd"', 'passwd'],
    ['name=file; filename=cat.png', 'cat.png'],
    [`name="file"; filename="x"; filename*=UTF-8''%C3%BC.png`, 'ü.png'],
    ['name="file"; filename=""', undefined],
  ])('of %j is %j', (header, expected) => {
    expect(parseForm(formBody([header, 'x']), TYPE).files[0]?.fileName).toBe(expected)
  })
})

it('a preamble, padding after a boundary and a quoted boundary are read', () => {
  const body = Buffer.from(
    'ignored\r\n--X y  \r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--X y--\r\n',
  )
  expect(parseForm(body, 'multipart/form-data; charset=utf-8; boundary="X y"').fields.get('a')).toBe('1')
})

it('an empty field and an empty file are there', () => {
  const { fields, files } = parseForm(formBody(['name="a"', ''], ['name="f"; filename="e"', '']), TYPE)
  expect(fields.get('a')).toBe('')
  expect(files[0]?.bytes.length).toBe(0)
})

describe('a form is refused', () => {
  const field = ['name="a"', '1'] as const
  it.each<[string, string, () => unknown]>([
    ['without a content type', 'unsupported_media_type', () => parseForm(formBody(field), undefined)],
    ['of another type', 'unsupported_media_type', () => parseForm(formBody(field), 'application/json')],
    ['without a boundary', 'unsupported_media_type', () => parseForm(formBody(field), 'multipart/form-data')],
    ['without a body', 'invalid_request', () => parseForm(undefined, TYPE)],
    ['cut short', 'invalid_request', () => parseForm(formBody(field).subarray(0, -7), TYPE)],
    ['with a nameless part', 'invalid_request', () => parseForm(formBody(['x="a"', '1']), TYPE)],
    ['with NUL in a field', 'invalid_request', () => parseForm(formBody(['name="a"', '\0']), TYPE)],
    [
      'with broken UTF-8 in a field',
      'invalid_request',
      () => parseForm(formBody(['name="a"', Buffer.from([0xff])]), TYPE),
    ],
    [
      'with too many parts',
      'payload_too_large',
      () => parseForm(formBody(field, field, field), TYPE, { maxParts: 2 }),
    ],
    [
      'with too long a field',
      'payload_too_large',
      () => parseForm(formBody(['name="a"', '123']), TYPE, { maxFieldBytes: 2 }),
    ],
    [
      'with endless headers',
      'payload_too_large',
      () => parseForm(formBody([`name="a"; x="${'y'.repeat(9_000)}"`, '1']), TYPE),
    ],
  ])('%s', (_, code, parse) => {
    expect(codeOf(parse)).toBe(code)
  })
})
