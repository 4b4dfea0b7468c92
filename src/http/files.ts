/** The way out of files: whoever has the link may read, by ranges too, and nothing in a file is ever run. */
import type { EndpointExchange } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import type { OpenFile } from '#spec/gateway.ts'

/** The address never changes what it holds. */
const KEPT = 'public, max-age=31536000, immutable'

export async function serveFile({ request, gateway, reply }: EndpointExchange): Promise<void> {
  const { token = '', name = '' } = request.params
  const file = await gateway.openFile(`/files/${token}/${name}`)
  if (!file)
    throw new GatewayError(
      'file_not_found',
      'There is no such file. It may have been removed, or the link is not whole.',
    )
  const headers = headersOf(file)
  if (hasIt(request.headers['if-none-match'], file.etag)) {
    reply.send({ status: 304, contentType: file.contentType, headers, body: '' })
    return
  }
  // A signed link is for GET alone: who wants the head of a file gets it here.
  if (file.redirectTo !== undefined && request.isHead !== true) {
    reply.send({
      status: 302,
      contentType: 'text/plain',
      headers: { ...OPEN_TO_PAGES, Location: file.redirectTo, 'Cache-Control': 'private, max-age=600' },
      body: '',
    })
    return
  }
  // A range is of GET alone (RFC 9110 §14.2).
  const range =
    request.isHead === true ? undefined : rangeOf(request.headers.range, request.headers['if-range'], file)
  if (range === 'unsatisfiable') {
    reply.send({
      status: 416,
      contentType: 'text/plain',
      headers: { ...headers, 'Content-Range': `bytes */${file.sizeBytes}` },
      body: '',
    })
    return
  }
  const begun = request.isHead === true ? undefined : await begin(file.read(range))
  try {
    await reply.sendFile({
      status: range ? 206 : 200,
      contentType: file.contentType,
      headers: range
        ? { ...headers, 'Content-Range': `bytes ${range.start}-${range.end}/${file.sizeBytes}` }
        : headers,
      sizeBytes: range ? range.end - range.start + 1 : file.sizeBytes,
      bytes: begun?.bytes ?? NOTHING,
    })
  } finally {
    await begun?.close()
  }
}

const NOTHING: AsyncIterable<Uint8Array> = {
  async *[Symbol.asyncIterator]() {},
}

interface BegunFile {
  readonly bytes: AsyncIterable<Uint8Array>
  /** To be called also where nobody read on. */
  close(): Promise<void>
}

/** The same bytes, the first of which are there: storage that is away is told by a status, and not by a broken body. */
async function begin(bytes: AsyncIterable<Uint8Array>): Promise<BegunFile> {
  const iterator = bytes[Symbol.asyncIterator]()
  const first = await iterator.next()
  return {
    bytes: {
      async *[Symbol.asyncIterator]() {
        for (let next = first; next.done !== true; next = await iterator.next()) yield next.value
      },
    },
    async close() {
      await iterator.return?.()
    },
  }
}

function headersOf(file: OpenFile): Record<string, string> {
  return {
    'Accept-Ranges': 'bytes',
    'Cache-Control': KEPT,
    ETag: file.etag,
    'Content-Disposition': `inline; filename="${file.fileName}"`,
    // A file is shown, played or saved, and never a page of ours.
    'Content-Security-Policy': "default-src 'none'; sandbox",
    ...OPEN_TO_PAGES,
  }
}

/** Any page may show a file, or read it, and none learns its link from where the reader came; a redirect must say so too. */
const OPEN_TO_PAGES = {
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Access-Control-Allow-Origin': '*',
  'Referrer-Policy': 'no-referrer',
}

/** Whether the client has the file: one of its list, whole or as a proxy has weakened it (RFC 9110 §13.1.2). */
function hasIt(ifNoneMatch: string | undefined, etag: string): boolean {
  const named = (ifNoneMatch ?? '').split(',').map(one => one.trim().replace(/^W\//, ''))
  return named.includes(etag) || named.includes('*')
}

export interface ByteSpan {
  readonly start: number
  readonly end: number
}

const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/

/**
 * The one range that was asked for (RFC 9110 §14); `undefined` for the whole: none was asked, it is not in bytes, there are
 * several, or the file is not the one the client has a part of.
 */
export function rangeOf(
  range: string | undefined,
  ifRange: string | undefined,
  file: Pick<OpenFile, 'sizeBytes' | 'etag'>,
): ByteSpan | 'unsatisfiable' | undefined {
  const match = range === undefined ? null : RANGE.exec(range)
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  if (ifRange !== undefined && ifRange !== file.etag) return undefined
  const last = file.sizeBytes - 1
  if (match[1] === '') {
    const length = Math.min(Number(match[2]), file.sizeBytes)
    return length === 0 ? 'unsatisfiable' : { start: file.sizeBytes - length, end: last }
  }
  const start = Number(match[1])
  const end = match[2] === '' ? last : Math.min(Number(match[2]), last)
  return start > last || end < start ? 'unsatisfiable' : { start, end }
}
