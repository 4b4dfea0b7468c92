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
  if (file.redirectTo !== undefined) {
    reply.send({
      status: 302,
      contentType: 'text/plain',
      headers: { Location: file.redirectTo, 'Cache-Control': 'private, max-age=600' },
      body: '',
    })
    return
  }
  const headers = headersOf(file)
  if (request.headers['if-none-match'] === file.etag) {
    reply.send({ status: 304, contentType: file.contentType, headers, body: '' })
    return
  }
  const range = rangeOf(request.headers.range, request.headers['if-range'], file)
  if (range === 'unsatisfiable') {
    reply.send({
      status: 416,
      contentType: 'text/plain',
      headers: { ...headers, 'Content-Range': `bytes */${file.sizeBytes}` },
      body: '',
    })
    return
  }
  await reply.sendFile({
    status: range ? 206 : 200,
    contentType: file.contentType,
    headers: range
      ? { ...headers, 'Content-Range': `bytes ${range.start}-${range.end}/${file.sizeBytes}` }
      : headers,
    sizeBytes: range ? range.end - range.start + 1 : file.sizeBytes,
    bytes: file.read(range),
  })
}

function headersOf(file: OpenFile): Record<string, string> {
  return {
    'Accept-Ranges': 'bytes',
    'Cache-Control': KEPT,
    ETag: file.etag,
    'Content-Disposition': `inline; filename="${file.fileName}"`,
    // A file is shown, played or saved, and never a page of ours.
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Access-Control-Allow-Origin': '*',
  }
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
