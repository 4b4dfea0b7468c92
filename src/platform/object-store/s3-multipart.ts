/** One multipart upload: parts sent a few at a time, then completed or aborted. */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { ReleaseSlot } from '#lib/slots.ts'
import { ObjectStoreFailure } from '#spec/object-store.ts'
import { type S3Bucket, S3Failure } from './s3-bucket.ts'

export interface MultipartTarget {
  readonly bucket: S3Bucket
  readonly key: string
  readonly contentType: string
  readonly signal: AbortSignal | undefined
}

const MOST_SENDING = 2
const MOST_ABORTS = 5
const ABORT_PAUSE_MS = 20
/** Metadata that tells this upload's object from any other under its key. */
const MARK = 'upload'

export class MultipartUpload {
  readonly #target: MultipartTarget
  readonly #mark: string
  readonly #uploadId: string
  readonly #sent: CompletedPart[] = []
  readonly #sending = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  #failure: unknown

  private constructor(target: MultipartTarget, uploadId: string, mark: string) {
    this.#target = target
    this.#uploadId = uploadId
    this.#mark = mark
  }

  static async begin(target: MultipartTarget): Promise<MultipartUpload> {
    const { bucket, key, contentType, signal } = target
    const mark = randomBytes(16).toString('hex')
    const command = new CreateMultipartUploadCommand({
      Bucket: bucket.name,
      Key: key,
      ContentType: contentType,
      Metadata: { [MARK]: mark },
    })
    const { UploadId } = await bucket.ask((send, options) => send(command, options), signal)
    if (UploadId === undefined) throw new ObjectStoreFailure('unavailable', 'NoUploadId')
    return new MultipartUpload(target, UploadId, mark)
  }

  /** Begins to send the next part, once fewer than two others are on their way. Throws what one of those failed with. */
  async send(body: Buffer, release: ReleaseSlot): Promise<void> {
    while (this.#sending.size >= MOST_SENDING) await Promise.race(this.#sending)
    if (this.#failure !== undefined) throw this.#failure
    const part: CompletedPart = { PartNumber: this.#sent.length + 1 }
    this.#sent.push(part)
    const sending = this.#sendPart(part, body)
      .catch(error => {
        this.#failure ??= error
        this.#stop.abort()
      })
      .finally(() => {
        release()
        this.#sending.delete(sending)
      })
    this.#sending.add(sending)
  }

  async #sendPart(part: CompletedPart, body: Buffer): Promise<void> {
    const { bucket, key, signal } = this.#target
    const command = new UploadPartCommand({
      Bucket: bucket.name,
      Key: key,
      UploadId: this.#uploadId,
      PartNumber: part.PartNumber,
      Body: body,
      ContentLength: body.length,
    })
    const stop = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal])
    const { ETag } = await bucket.ask((send, options) => send(command, options), stop)
    part.ETag = ETag
  }

  /** Makes the parts an object. */
  async complete(): Promise<void> {
    await Promise.all(this.#sending)
    if (this.#failure !== undefined) throw this.#failure
    const { bucket, key, signal } = this.#target
    if (signal?.aborted) throw new ObjectStoreFailure('aborted')
    const command = new CompleteMultipartUploadCommand({
      Bucket: bucket.name,
      Key: key,
      UploadId: this.#uploadId,
      MultipartUpload: { Parts: this.#sent },
    })
    try {
      await bucket.askToTheEnd((send, options) => send(command, options), signal)
    } catch (error) {
      if (!(await this.#isThere())) throw error
    }
  }

  /** After a failed completion: an answer that was lost, and a retry that found the upload gone, mean that it worked. */
  async #isThere(): Promise<boolean> {
    const { bucket, key, signal } = this.#target
    const command = new HeadObjectCommand({ Bucket: bucket.name, Key: key })
    try {
      const { Metadata } = await bucket.askToTheEnd((send, options) => send(command, options), signal)
      return Metadata?.[MARK] === this.#mark
    } catch (error) {
      if (error instanceof S3Failure) return false
      throw error
    }
  }

  /**
   * Takes everything back. A part that the server is still writing can outlive an abort that was answered well (S3 says
   * so, and it was seen), so it is asked again until the server knows no such upload, or does not answer for a while. What
   * is left then is the sweep's.
   */
  async abort(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#sending)
    const signal = this.#target.bucket.takingBack()
    for (let tries = 1; tries <= MOST_ABORTS; tries++) {
      const wasThere = await this.#abortOnce(signal).catch(() => false)
      if (!wasThere) return
      await delay(ABORT_PAUSE_MS * tries)
    }
  }

  /** Whether there was anything to abort. */
  async #abortOnce(signal: AbortSignal): Promise<boolean> {
    const { bucket, key } = this.#target
    const command = new AbortMultipartUploadCommand({
      Bucket: bucket.name,
      Key: key,
      UploadId: this.#uploadId,
    })
    try {
      await bucket.ask((send, options) => send(command, options), signal)
      return true
    } catch (error) {
      if (error instanceof S3Failure && error.status === 404) return false
      throw error
    }
  }
}
