/**
 * A link that carries its own signature: AWS Signature Version 4 in the query
 * (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html).
 */
import { createHash, createHmac } from 'node:crypto'

export interface LinkToSign {
  /** Scheme, host and path of the object. The path holds only characters that a URL leaves as they are. */
  readonly url: URL
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly expiresInSeconds: number
  /** `response-content-type` and its like. */
  readonly query: Readonly<Record<string, string>>
  readonly at: Date
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

/** The URL of a GET that anybody may send until it expires. */
export function signedLink(link: LinkToSign): string {
  const time = link.at.toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
  const scope = `${time.slice(0, 8)}/${link.region}/s3/aws4_request`
  const query = canonicalQuery({
    ...link.query,
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': `${link.accessKeyId}/${scope}`,
    'X-Amz-Date': time,
    'X-Amz-Expires': String(link.expiresInSeconds),
    'X-Amz-SignedHeaders': 'host',
  })
  const { host, pathname, protocol } = link.url
  const request = ['GET', pathname, query, `host:${host}`, '', 'host', 'UNSIGNED-PAYLOAD'].join('\n')
  const toSign = [ALGORITHM, time, scope, createHash('sha256').update(request).digest('hex')].join('\n')
  const signature = hmac(signingKey(link.secretAccessKey, scope), toSign).toString('hex')
  return `${protocol}//${host}${pathname}?${query}&X-Amz-Signature=${signature}`
}

function canonicalQuery(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&')
}

function signingKey(secret: string, scope: string): Buffer {
  let key: Buffer = Buffer.from(`AWS4${secret}`)
  for (const part of scope.split('/')) key = hmac(key, part)
  return key
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** RFC 3986: everything but letters, digits and `-._~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
