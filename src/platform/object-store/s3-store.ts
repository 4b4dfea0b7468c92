/** Objects in a bucket of S3 or of a server that speaks as it does (README, "s3"). */
import { isIP } from 'node:net'
import { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type MultipartUpload,
} from '@aws-sdk/client-s3'
import { Slots } from '#lib/slots.ts'
import {
  assertObjectKey,
  type ByteRange,
  type FoundObject,
  type GetOptions,
  isObjectKey,
  type ListPage,
  type ObjectStat,
  type ObjectStore,
  ObjectStoreFailure,
  type PresignOptions,
  type PutOptions,
  type StoredObject,
} from '#spec/object-store.ts'
import { openIntake } from './intake.ts'
import { S3Bucket, S3Failure } from './s3-bucket.ts'
import {
  DEFAULT_MOST_PARTS,
  DEFAULT_PART_BYTES,
  DEFAULT_TIMEOUTS,
  type S3StoreOptions,
} from './s3-options.ts'
import { signedLink } from './s3-presign.ts'
import { upload } from './s3-upload.ts'
import { assertRange } from './served-range.ts'
import { watchForStall } from './stall-watch.ts'

const LONGEST_PAGE = 1_000
/** S3's own bound on the parts of one object. */
const MOST_PARTS_OF_ONE = 10_000
const LONGEST_LINK_SECONDS = 604_800

interface UploadMarker {
  readonly KeyMarker?: string | undefined
  readonly UploadIdMarker?: string | undefined
}

interface UnfinishedPage {
  readonly uploads: readonly MultipartUpload[]
  readonly next: UploadMarker | undefined
}

/** The store in a bucket that exists. Nothing is asked of it before the first method is called. */
export function createS3Store(options: S3StoreOptions): ObjectStore {
  return new S3Store(options)
}

class S3Store implements ObjectStore {
  readonly #options: S3StoreOptions
  readonly #bucket: S3Bucket
  readonly #parts: Slots

  constructor(options: S3StoreOptions) {
    this.#options = options
    this.#bucket = new S3Bucket(options)
    this.#parts = new Slots(options.mostParts ?? DEFAULT_MOST_PARTS)
  }

  async put(
    key: string,
    source: AsyncIterable<Uint8Array> | Uint8Array,
    options: PutOptions,
  ): Promise<StoredObject> {
    assertObjectKey(key)
    const intake = openIntake(source, options)
    const partBytes = Math.max(
      this.#options.partBytes ?? DEFAULT_PART_BYTES,
      Math.ceil(options.maxBytes / MOST_PARTS_OF_ONE),
    )
    const { contentType, signal } = options
    await upload(intake.chunks, {
      bucket: this.#bucket,
      key,
      contentType,
      partBytes,
      parts: this.#parts,
      signal,
    })
    return intake.total()
  }

  async get(key: string, { range, signal }: GetOptions = {}): Promise<FoundObject | null> {
    assertObjectKey(key)
    if (range !== undefined) assertRange(range)
    const Range = range === undefined ? undefined : `bytes=${range.first}-${range.last ?? ''}`
    const command = new GetObjectCommand({ Bucket: this.#bucket.name, Key: key, Range })
    const answer = await this.#orNull(() =>
      this.#bucket.ask((send, options) => send(command, options), signal),
    )
    return answer === null ? null : this.#found(answer, range)
  }

  #found({ Body, ContentLength, ContentRange }: GetObjectCommandOutput, asked: ByteRange | undefined) {
    if (!(Body instanceof Readable)) throw new ObjectStoreFailure('unavailable', 'NoBody')
    const whole = { sizeBytes: ContentLength ?? Number.NaN, range: undefined }
    const { sizeBytes, range } = asked === undefined ? whole : contentRange(ContentRange)
    if (!Number.isSafeInteger(sizeBytes)) {
      Body.destroy()
      throw new ObjectStoreFailure('unavailable', 'NoSize')
    }
    watchForStall(Body, (this.#options.timeouts ?? DEFAULT_TIMEOUTS).betweenReadsMs)
    return { stream: Body, sizeBytes, range }
  }

  async stat(key: string): Promise<ObjectStat | null> {
    assertObjectKey(key)
    const command = new HeadObjectCommand({ Bucket: this.#bucket.name, Key: key })
    const found = await this.#orNull(() => this.#bucket.ask((send, options) => send(command, options)))
    if (found === null) return null
    return { sizeBytes: found.ContentLength ?? 0, modifiedAt: found.LastModified ?? new Date(0) }
  }

  async delete(key: string): Promise<void> {
    assertObjectKey(key)
    const command = new DeleteObjectCommand({ Bucket: this.#bucket.name, Key: key })
    await this.#orNull(() => this.#bucket.ask((send, options) => send(command, options)))
  }

  async list(prefix: string, after?: string, limit = LONGEST_PAGE): Promise<ListPage> {
    const command = new ListObjectsV2Command({
      Bucket: this.#bucket.name,
      Prefix: prefix,
      StartAfter: after,
      MaxKeys: limit,
    })
    const { Contents = [], IsTruncated } = await this.#bucket.ask((send, options) => send(command, options))
    const objects = Contents.flatMap(({ Key = '', Size, LastModified }) =>
      isObjectKey(Key) ? [{ key: Key, sizeBytes: Size ?? 0, modifiedAt: LastModified ?? new Date(0) }] : [],
    )
    return { objects, next: IsTruncated === true ? Contents.at(-1)?.Key : undefined }
  }

  async presign(key: string, options: PresignOptions): Promise<string | null> {
    assertObjectKey(key)
    const { endpoint, presignEndpoint = endpoint } = this.#options
    if (presignEndpoint === null) return null
    const { expiresInSeconds, responseContentType, responseContentDisposition } = options
    if (!(expiresInSeconds >= 1 && expiresInSeconds <= LONGEST_LINK_SECONDS)) {
      throw new RangeError('a link lasts between one second and seven days')
    }
    return signedLink({
      ...this.#options,
      url: this.#urlOf(key, presignEndpoint),
      expiresInSeconds: Math.floor(expiresInSeconds),
      query: {
        ...(responseContentType === undefined ? {} : { 'response-content-type': responseContentType }),
        ...(responseContentDisposition === undefined
          ? {}
          : { 'response-content-disposition': responseContentDisposition }),
      },
      at: new Date(),
    })
  }

  #urlOf(key: string, endpoint: string): URL {
    const { bucket, forcePathStyle } = this.#options
    const url = new URL(endpoint)
    const base = url.pathname.replace(/\/$/, '')
    // As the client does: neither an address nor a certificate takes such a bucket before it.
    const isInPath =
      forcePathStyle || isIP(url.hostname.replaceAll(/[[\]]/g, '')) !== 0 || bucket.includes('.')
    url.pathname = isInPath ? `${base}/${bucket}/${key}` : `${base}/${key}`
    if (!isInPath) url.hostname = `${bucket}.${url.hostname}`
    return url
  }

  async sweepLeftovers(olderThanMs: number): Promise<number> {
    let swept = 0
    let after: UploadMarker | undefined = {}
    while (after !== undefined) {
      const page: UnfinishedPage = await this.#unfinished(after)
      for (const { Key = '', UploadId, Initiated } of page.uploads) {
        if (!isObjectKey(Key) || Date.now() - (Initiated?.getTime() ?? Date.now()) < olderThanMs) continue
        const abort = new AbortMultipartUploadCommand({ Bucket: this.#bucket.name, Key, UploadId })
        await this.#orNull(() => this.#bucket.ask((send, options) => send(abort, options)))
        swept += 1
      }
      after = page.next
    }
    return swept
  }

  async #unfinished(after: UploadMarker): Promise<UnfinishedPage> {
    const command = new ListMultipartUploadsCommand({ Bucket: this.#bucket.name, ...after })
    const found = await this.#bucket.ask((send, options) => send(command, options))
    const next = { KeyMarker: found.NextKeyMarker, UploadIdMarker: found.NextUploadIdMarker }
    return { uploads: found.Uploads ?? [], next: found.IsTruncated === true ? next : undefined }
  }

  close(): void {
    this.#bucket.close()
  }

  /** `null` where there is no such object (a HEAD says no more than 404), which is not: where there is no bucket. */
  async #orNull<Answer>(ask: () => Promise<Answer>): Promise<Answer | null> {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof S3Failure)) throw error
      if (error.status === 416) throw new ObjectStoreFailure('range-not-satisfiable')
      if (error.status === 404 && error.code !== 'NoSuchBucket') return null
      throw error
    }
  }
}

/** `bytes 0-9/100`. A server that ignores ranges sends none, and is not understood. */
function contentRange(header = ''): { sizeBytes: number; range: Required<ByteRange> | undefined } {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(header)
  if (match === null) return { sizeBytes: Number.NaN, range: undefined }
  return { sizeBytes: Number(match[3]), range: { first: Number(match[1]), last: Number(match[2]) } }
}
