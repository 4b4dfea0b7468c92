/** How a bucket is reached, and how patiently. */

export interface S3StoreOptions {
  /** `https://s3.<region>.amazonaws.com`, or where a compatible server listens. */
  readonly endpoint: string
  /** `auto` for R2. */
  readonly region: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** The bucket in the path and not in the host: what most compatible servers need. */
  readonly forcePathStyle: boolean
  /** Where clients reach the same bucket, for presigned links; `undefined`: the endpoint; `null`: nowhere, so there are none. */
  readonly presignEndpoint?: string | null | undefined
  /** An object up to this size is one request; a larger one is sent in parts of it. At least 5 MiB on S3; 8 MiB where nothing is said. */
  readonly partBytes?: number | undefined
  /** How many parts all puts together may hold in memory; 32 where nothing is said, which is 256 MiB. */
  readonly mostParts?: number | undefined
  readonly timeouts?: S3Timeouts | undefined
}

/** Bounds of one attempt; a request is tried three times at most. */
export interface S3Timeouts {
  readonly connectMs: number
  /** From the start of a request, its body included, to the head of the answer. */
  readonly answerMs: number
  /** Between two reads of an object, while somebody wants them. */
  readonly betweenReadsMs: number
  /** After an abort, for the answer that tells whether an object is there now, and for taking back what was sent. */
  readonly afterAbortMs: number
}

export const ATTEMPTS = 3

export const DEFAULT_PART_BYTES = 8 * 1024 ** 2
export const DEFAULT_MOST_PARTS = 32
export const DEFAULT_TIMEOUTS: S3Timeouts = {
  connectMs: 5_000,
  answerMs: 60_000,
  betweenReadsMs: 30_000,
  afterAbortMs: 3_000,
}
