import { describe, expect, it } from 'vitest'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import { kieUploads } from './index.ts'
import { SCRIPT } from './test-script.ts'

async function upload(path: string, body: string | Buffer, contentType = 'application/json') {
  const gateway = new ScriptedGateway(SCRIPT)
  const headers = { authorization: `Bearer ${GOOD_KEY}`, 'content-type': contentType }
  const answer = await serveInMemory(kieUploads, gateway, { method: 'POST', url: path, headers, body })
  return { status: answer.status, body: JSON.parse(answer.body.toString()), asked: gateway.asked }
}

async function formOf(parts: Readonly<Record<string, string | File>>): Promise<readonly [Buffer, string]> {
  const form = new FormData()
  for (const [name, value] of Object.entries(parts)) form.set(name, value)
  const request = new Request('http://localhost', { method: 'POST', body: form })
  return [Buffer.from(await request.arrayBuffer()), request.headers.get('content-type') ?? '']
}

const cat = new File([new Uint8Array([1, 2, 3])], 'cat.png')

it('a form is stored byte for byte, under the name of its file', async () => {
  const [body, type] = await formOf({ file: cat, uploadPath: 'images' })
  const { body: answer, asked } = await upload('/file-stream-upload', body, type)
  expect(asked).toEqual([{ method: 'storeFile', argument: { bytes: Buffer.from([1, 2, 3]) } }])
  expect(answer).toMatchObject({ success: true, code: 200, data: { filePath: 'images/cat.png' } })
})

it('a form’s own name for the file wins', async () => {
  const [body, type] = await formOf({ file: cat, uploadPath: 'images', fileName: 'dog.png' })
  const { body: answer } = await upload('/file-stream-upload', body, type)
  expect(answer.data.fileName).toBe('dog.png')
})

it.each([
  ['raw', 'SGVsbG8gV29ybGQ='],
  ['as a data URL', 'data:text/plain;base64,SGVsbG8gV29ybGQ='],
  ['with line breaks', 'SGVsbG8g\r\nV29ybGQ='],
])('base64 %s is stored', async (_, base64Data) => {
  const { asked } = await upload('/file-base64-upload', JSON.stringify({ base64Data, uploadPath: 'a' }))
  expect(asked).toEqual([{ method: 'storeFile', argument: { bytes: Buffer.from('Hello World') } }])
})

it('an address is handed on, and nothing is fetched here', async () => {
  const body = { fileUrl: 'https://a.example/x.png', uploadPath: 'a' }
  const { asked, body: answer } = await upload('/file-url-upload', JSON.stringify(body))
  expect(asked).toEqual([{ method: 'storeFile', argument: { url: 'https://a.example/x.png' } }])
  expect(answer.data.fileName).toBe('1777539187532-kgfz8edkkle.txt')
})

describe('refused with code 400, and nothing is stored:', () => {
  const good = { base64Data: 'SGVsbG8=', uploadPath: 'a' }
  it.each([
    ['no file', '/file-base64-upload', { ...good, base64Data: undefined }, 'base64Data'],
    ['no folder', '/file-base64-upload', { ...good, uploadPath: undefined }, 'uploadPath'],
    ['a folder of slashes', '/file-base64-upload', { ...good, uploadPath: '//' }, 'uploadPath'],
    ['a way out of the folder', '/file-base64-upload', { ...good, uploadPath: 'a/../../b' }, 'uploadPath'],
    ['a folder in the name', '/file-base64-upload', { ...good, fileName: '../x' }, 'fileName'],
    ['what is no base64', '/file-base64-upload', { ...good, base64Data: 'not base64!' }, 'base64Data'],
    ['no address', '/file-url-upload', { uploadPath: 'a' }, 'fileUrl'],
    ['an address that is none', '/file-url-upload', { uploadPath: 'a', fileUrl: '/etc/passwd' }, 'fileUrl'],
    ['a file: address', '/file-url-upload', { uploadPath: 'a', fileUrl: 'file:///etc/passwd' }, 'fileUrl'],
  ])('%s', async (_, path, body, param) => {
    const { status, body: answer, asked } = await upload(path, JSON.stringify(body))
    expect({ status, asked }).toEqual({ status: 200, asked: [] })
    expect(answer).toMatchObject({ success: false, code: 400, error: { param } })
  })

  it('a form without a file, or without a folder', async () => {
    for (const [parts, param] of [
      [{ uploadPath: 'a' }, 'file'],
      [{ file: cat }, 'uploadPath'],
    ] as const) {
      const { body, asked } = await upload('/file-stream-upload', ...(await formOf(parts)))
      expect(asked).toEqual([])
      expect(body).toMatchObject({ success: false, code: 400, error: { param } })
    }
  })

  it('a form that is none', async () => {
    const { status, body } = await upload('/file-stream-upload', '{}', 'application/json')
    expect({ status, code: body.code }).toEqual({ status: 415, code: 415 })
  })
})
