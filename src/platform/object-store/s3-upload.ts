/**
 * Chunks into an object of a bucket: one request where they fit in one part, else a multipart upload that exists for
 * readers only once it is completed.
 */
import { PutObjectCommand } from '@aws-sdk/client-s3'
import type { ReleaseSlot, Slots } from '#lib/slots.ts'
import { ObjectStoreFailure } from '#spec/object-store.ts'
import { PartBuffer } from './part-buffer.ts'
import type { S3Bucket } from './s3-bucket.ts'
import { MultipartUpload } from './s3-multipart.ts'

export interface Upload {
  readonly bucket: S3Bucket
  readonly key: string
  readonly contentType: string
  readonly partBytes: number
  /** The parts that all uploads together may hold in memory. */
  readonly parts: Slots
  readonly signal: AbortSignal | undefined
}

/** Sends the chunks. On any failure, theirs included, nothing is kept, and the failure is let through. */
export async function upload(chunks: AsyncIterable<Uint8Array>, task: Upload): Promise<void> {
  const run = new UploadRun(task)
  try {
    for await (const chunk of chunks) await run.add(chunk)
    await run.finish()
  } catch (error) {
    await run.abandon()
    throw error
  }
}

class UploadRun {
  readonly #task: Upload
  #multipart: MultipartUpload | undefined
  #part: PartBuffer | undefined
  /** Of the part that fills. A part that is being sent has its own. */
  #release: ReleaseSlot = () => {}

  constructor(task: Upload) {
    this.#task = task
  }

  async add(chunk: Uint8Array): Promise<void> {
    for (let rest = chunk; rest.length > 0; ) {
      if (this.#part?.isFull) await this.#sendPart(this.#part)
      this.#part ??= await this.#newPart()
      rest = this.#part.add(rest)
    }
  }

  async finish(): Promise<void> {
    if (this.#multipart === undefined) await this.#putWhole(this.#part?.filled ?? Buffer.alloc(0))
    else {
      if (this.#part !== undefined) await this.#sendPart(this.#part)
      await this.#multipart.complete()
    }
    this.#release()
  }

  async abandon(): Promise<void> {
    this.#release()
    await this.#multipart?.abort()
  }

  async #newPart(): Promise<PartBuffer> {
    const { parts, partBytes, signal } = this.#task
    try {
      this.#release = await parts.take(signal)
    } catch {
      throw new ObjectStoreFailure('aborted')
    }
    return new PartBuffer(partBytes)
  }

  /** Resolves once the part may be sent beside those that still are. */
  async #sendPart(part: PartBuffer): Promise<void> {
    this.#multipart ??= await MultipartUpload.begin(this.#task)
    await this.#multipart.send(part.filled, this.#release)
    this.#part = undefined
    this.#release = () => {}
  }

  async #putWhole(body: Buffer): Promise<void> {
    const { bucket, key, contentType, signal } = this.#task
    if (signal?.aborted) throw new ObjectStoreFailure('aborted')
    const command = new PutObjectCommand({
      Bucket: bucket.name,
      Key: key,
      Body: body,
      ContentLength: body.length,
      ContentType: contentType,
    })
    await bucket.askToTheEnd((send, options) => send(command, options), signal)
  }
}
