/**
 * A bucket in memory that speaks as much of S3 as the store uses, with faults on request. It knows no permissions: what
 * a real server says is tested end to end.
 */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export type S3Operation =
  | 'put'
  | 'get'
  | 'head'
  | 'delete'
  | 'list'
  | 'begin'
  | 'part'
  | 'complete'
  | 'abort'
  | 'list-uploads'

/**
 * What happens to a request: served; left without an answer; its connection cut before or after the work; answered
 * with an error; answered well without the work; the answer's body begun and never ended.
 */
export type Fate =
  | 'serve'
  | 'hang'
  | 'drop'
  | 'serve-and-drop'
  | 'stall'
  | 'pretend'
  | { readonly status: number; readonly code: string }

interface Stored {
  readonly bytes: Buffer
  readonly metadata: Record<string, string>
  readonly at: Date
}

interface Begun {
  readonly key: string
  readonly metadata: Record<string, string>
  readonly parts: Map<number, Buffer>
  at: Date
}

interface Asked {
  readonly operation: S3Operation
  readonly key: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

interface Answer {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body?: Buffer | string
}

export const BUCKET = 'fixture-bucket'

export class S3Fixture {
  readonly objects = new Map<string, Stored>()
  readonly uploads = new Map<string, Begun>()
  /** Every request in the order of arrival. */
  readonly asked: S3Operation[] = []
  /** Decides each request's fate; `nth` counts the requests of that operation from 1. */
  fate: (operation: S3Operation, nth: number) => Fate | Promise<Fate> = () => 'serve'
  readonly #server = http.createServer((request, response) => void this.#serve(request, response))

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  count(operation: S3Operation): number {
    return this.asked.filter(one => one === operation).length
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const asked = await readRequest(request)
      this.asked.push(asked.operation)
      const fate = await this.fate(asked.operation, this.count(asked.operation))
      if (fate === 'hang') return
      if (fate === 'drop') return void request.socket.destroy()
      const answer = typeof fate === 'object' ? problem(fate.status, fate.code) : this.#answerTo(asked, fate)
      if (fate === 'serve-and-drop') return void request.socket.destroy()
      send(response, answer, asked.operation, fate === 'stall')
    } catch {
      request.socket.destroy()
    }
  }

  #answerTo(asked: Asked, fate: Fate): Answer {
    return fate === 'pretend' ? { status: 204 } : this.#answer(asked)
  }

  #answer(asked: Asked): Answer {
    const { key, query, operation, body } = asked
    switch (operation) {
      case 'put':
        this.objects.set(key, { bytes: body, metadata: metadataOf(asked), at: new Date() })
        return { status: 200, headers: { etag: etag(body) } }
      case 'get':
      case 'head':
        return this.#read(asked)
      case 'delete':
        this.objects.delete(key)
        return { status: 204 }
      case 'list':
        return this.#list(query)
      case 'begin': {
        const id = randomBytes(8).toString('hex')
        this.uploads.set(id, { key, metadata: metadataOf(asked), parts: new Map(), at: new Date() })
        return xml(
          `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
        )
      }
      case 'list-uploads':
        return this.#listUploads()
      default:
        return this.#ofUpload(asked)
    }
  }

  #read({ key, headers }: Asked): Answer {
    const found = this.objects.get(key)
    if (found === undefined) return problem(404, 'NoSuchKey')
    const { bytes, metadata, at } = found
    const described = { ...metadata, 'last-modified': at.toUTCString(), etag: etag(bytes) }
    const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '')
    if (range === null) return { status: 200, headers: described, body: bytes }
    const first = Number(range[1])
    const last = Math.min(range[2] === '' ? Number.POSITIVE_INFINITY : Number(range[2]), bytes.length - 1)
    if (first >= bytes.length) return problem(416, 'InvalidRange')
    const contentRange = `bytes ${first}-${last}/${bytes.length}`
    const part = bytes.subarray(first, last + 1)
    return { status: 206, headers: { ...described, 'content-range': contentRange }, body: part }
  }

  #list(query: URLSearchParams): Answer {
    const [prefix, after] = [query.get('prefix') ?? '', query.get('start-after') ?? '']
    const limit = Number(query.get('max-keys') ?? 1000)
    const keys = [...this.objects.keys()].filter(key => key.startsWith(prefix) && key > after).sort()
    const contents = keys.slice(0, limit).map(key => {
      const { bytes, at } = this.objects.get(key) as Stored
      const size = `<Size>${bytes.length}</Size><LastModified>${at.toISOString()}</LastModified>`
      return `<Contents><Key>${key}</Key>${size}</Contents>`
    })
    const truncated = `<IsTruncated>${keys.length > limit}</IsTruncated>`
    return xml(`<ListBucketResult>${truncated}${contents.join('')}</ListBucketResult>`)
  }

  #listUploads(): Answer {
    const uploads = [...this.uploads].map(([id, { key, at }]) => {
      const facts = `<UploadId>${id}</UploadId><Initiated>${at.toISOString()}</Initiated>`
      return `<Upload><Key>${key}</Key>${facts}</Upload>`
    })
    return xml(`<ListMultipartUploadsResult>${uploads.join('')}</ListMultipartUploadsResult>`)
  }

  #ofUpload({ operation, query, body, key }: Asked): Answer {
    const id = query.get('uploadId') ?? ''
    const begun = this.uploads.get(id)
    if (begun === undefined) return problem(404, 'NoSuchUpload')
    if (operation === 'part') {
      begun.parts.set(Number(query.get('partNumber')), body)
      return { status: 200, headers: { etag: etag(body) } }
    }
    this.uploads.delete(id)
    if (operation === 'abort') return { status: 204 }
    const named = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map(match =>
      Number(match[1]),
    )
    const parts = named.map(number => begun.parts.get(number) ?? Buffer.from('missing'))
    this.objects.set(key, { bytes: Buffer.concat(parts), metadata: begun.metadata, at: new Date() })
    return xml('<CompleteMultipartUploadResult><ETag>"x-1"</ETag></CompleteMultipartUploadResult>')
  }
}

async function readRequest(request: IncomingMessage): Promise<Asked> {
  const body = await buffer(request)
  const url = new URL(request.url ?? '', 'http://fixture')
  const [, bucket, ...key] = url.pathname.split('/')
  if (bucket !== BUCKET) throw new Error('another bucket')
  const digest = request.headers['x-amz-content-sha256']
  if (digest !== createHash('sha256').update(body).digest('hex')) throw new Error('a body that is not signed')
  const operation = operationOf(request.method ?? '', url.searchParams, key.length === 0 || key[0] === '')
  return { operation, key: key.join('/'), query: url.searchParams, headers: request.headers, body }
}

function operationOf(method: string, query: URLSearchParams, isBucket: boolean): S3Operation {
  if (isBucket) return query.has('uploads') ? 'list-uploads' : 'list'
  if (method === 'POST') return query.has('uploads') ? 'begin' : 'complete'
  const isOfUpload = query.has('uploadId')
  if (method === 'PUT') return isOfUpload ? 'part' : 'put'
  if (method === 'DELETE') return isOfUpload ? 'abort' : 'delete'
  return method === 'HEAD' ? 'head' : 'get'
}

function metadataOf({ headers }: Asked): Record<string, string> {
  const kept = Object.entries(headers).filter(
    ([name]) => name.startsWith('x-amz-meta-') || name === 'content-type',
  )
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]))
}

function send(response: ServerResponse, answer: Answer, operation: S3Operation, isStalled: boolean): void {
  const body = Buffer.from(answer.body ?? '')
  response.writeHead(answer.status, { ...answer.headers, 'content-length': body.length })
  if (operation === 'head') response.end()
  else if (isStalled) response.write(body.subarray(0, Math.floor(body.length / 2)))
  else response.end(body)
}

const etag = (bytes: Buffer) => `"${createHash('md5').update(bytes).digest('hex')}"`
const xml = (text: string): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>${text}`,
})

function problem(status: number, code: string): Answer {
  return { ...xml(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`), status }
}
