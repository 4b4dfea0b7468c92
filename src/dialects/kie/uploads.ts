/** Files of the client's own: `file-base64-upload`, `file-stream-upload`, `file-url-upload`. kie serves them on another host. */
import { z } from 'zod'
import { callDigest } from '#dialect-kit/call-digest.ts'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { parseForm } from '#dialect-kit/multipart.ts'
import type { EndpointExchange } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import type { FileSource, StoredFile, WireAnswer } from '#spec/gateway.ts'
import { readBody } from './body.ts'
import { invalidField, webUrl } from './client-fields.ts'

const TAG = 'Uploads'
/** Base64 is a third longer than what it holds. */
const BODY_LIMIT_BYTES = 48_000_000

const place = {
  uploadPath: z.string().max(500).nullish().describe('Required: a folder such as images/user-uploads'),
  fileName: z.string().max(255).nullish().describe('Left out: one is made up'),
} as const

const answer = {
  schema: z.object({
    success: z.boolean(),
    code: z.int(),
    msg: z.string(),
    data: z.looseObject({
      fileName: z.string(),
      filePath: z.string(),
      downloadUrl: z.string(),
      fileSize: z.int(),
      mimeType: z.string(),
      uploadedAt: z.string(),
    }),
  }),
}

interface Upload {
  readonly uploadPath: string | null | undefined
  readonly fileName: string | null | undefined
  readonly source: FileSource
  /** The field that the file is in. */
  readonly param: string
  /** What is asked for, where the body's bytes do not tell. */
  readonly digest?: string | undefined
}

async function store({ call, gateway, reply }: EndpointExchange, upload: Upload): Promise<void> {
  const folder = folderOf(upload.uploadPath)
  const fileName = fileNameOf(upload.fileName)
  const { source, param, digest } = upload
  const keep = async () =>
    storedAnswer(await gateway.storeFile(call, source, { fileName, param }), folder, fileName)
  reply.send(await gateway.keyed(call, keep, digest))
}

/** The folder is only echoed: a file is found by its address, and no client's path reaches a disk of ours. */
function folderOf(uploadPath: string | null | undefined): string {
  const folder = (uploadPath ?? '').trim().replaceAll(/^\/+|\/+$/g, '')
  if (folder === '') throw missing('uploadPath')
  if (folder.split('/').some(part => part === '..') || /[\p{Cc}\\]/u.test(folder)) {
    throw invalidField('uploadPath', 'a folder such as images/user-uploads')
  }
  return folder
}

function fileNameOf(fileName: string | null | undefined): string | undefined {
  const name = (fileName ?? '').trim()
  if (name === '') return undefined
  if (/[\p{Cc}/\\]/u.test(name) || name === '..') throw invalidField('fileName', 'a name without folders')
  return name
}

function missing(param: string): GatewayError {
  return new GatewayError('invalid_request', `Missing required parameter: ${param}`, { param })
}

function storedAnswer(file: StoredFile, folder: string, wanted: string | undefined): WireAnswer {
  const fileName = wanted ?? file.fileName
  const data = {
    success: true,
    fileName,
    filePath: `${folder}/${fileName}`,
    downloadUrl: file.url,
    fileUrl: file.url,
    fileSize: file.sizeBytes,
    mimeType: file.contentType,
    uploadedAt: file.createdAt.toISOString(),
  }
  const body = { success: true, code: 200, msg: 'File uploaded successfully', data }
  return { status: 200, contentType: 'application/json', body: JSON.stringify(body) }
}

const base64Body = z.looseObject({
  base64Data: z.string().nullish().describe('Required: base64, or a data: URL'),
  ...place,
})

export const base64Upload = endpoint({
  method: 'POST',
  path: '/file-base64-upload',
  bodyLimitBytes: BODY_LIMIT_BYTES,
  reference: {
    summary: 'Upload a file as base64',
    tag: TAG,
    body: { schema: base64Body },
    answer,
    example: {
      body: {
        base64Data:
          'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
        uploadPath: 'images/user-uploads',
        fileName: 'dot.png',
      },
    },
  },
  async handle(exchange) {
    const { fields } = readBody(exchange.request.body, base64Body)
    if (!fields.base64Data) throw missing('base64Data')
    const bytes = bytesOfBase64(fields.base64Data)
    await store(exchange, {
      ...fields,
      uploadPath: fields.uploadPath,
      fileName: fields.fileName,
      source: { bytes },
      param: 'base64Data',
    })
  },
})

const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/

/** Of a `data:` URL, what is behind its comma. Line breaks, as mail programs write them, are skipped. */
function bytesOfBase64(text: string): Uint8Array {
  const comma = text.startsWith('data:') ? text.indexOf(',') : -1
  const encoded = text.slice(comma + 1).replaceAll(/\s/g, '')
  if (BASE64.test(encoded)) return Buffer.from(encoded, 'base64')
  throw new GatewayError('invalid_request', 'Base64 decoding failed: Invalid Base64 format', {
    param: 'base64Data',
  })
}

const urlBody = z.looseObject({
  fileUrl: z.string().nullish().describe('Required: an http or https address'),
  ...place,
})

export const urlUpload = endpoint({
  method: 'POST',
  path: '/file-url-upload',
  reference: {
    summary: 'Upload a file from an address',
    tag: TAG,
    body: { schema: urlBody },
    answer,
    example: { body: { fileUrl: 'https://example.com/cat.png', uploadPath: 'images/user-uploads' } },
  },
  async handle(exchange) {
    const { fields } = readBody(exchange.request.body, urlBody)
    if (!fields.fileUrl) throw missing('fileUrl')
    const url = webUrl(fields.fileUrl, 'fileUrl')
    const { uploadPath, fileName } = fields
    await store(exchange, { uploadPath, fileName, source: { url }, param: 'fileUrl' })
  },
})

const streamBody = z.object({ file: z.file(), ...place })

export const streamUpload = endpoint({
  method: 'POST',
  path: '/file-stream-upload',
  bodyLimitBytes: BODY_LIMIT_BYTES,
  reference: {
    summary: 'Upload a file as a form',
    tag: TAG,
    body: { schema: streamBody, contentType: 'multipart/form-data' },
    answer,
    example: { body: { file: '@cat.png', uploadPath: 'images/user-uploads' } },
  },
  async handle(exchange) {
    const { body, headers } = exchange.request
    const { fields, files } = parseForm(body, headers['content-type'])
    const file = files.find(({ name }) => name === 'file') ?? files[0]
    if (file === undefined) throw missing('file')
    const uploadPath = fields.get('uploadPath')
    const fileName = fields.get('fileName') ?? file.fileName
    await store(exchange, {
      uploadPath,
      fileName,
      source: { bytes: file.bytes },
      param: 'file',
      // A client that sends a form again puts other boundaries between its fields.
      digest: callDigest(uploadPath ?? '', fileName ?? '', file.bytes),
    })
  },
})
