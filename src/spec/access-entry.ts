/** What is logged of an answered request. */

/**
 * One line of the access log. No body, no query, no header and no path but the pattern: nothing here was written by a
 * client, except a model's name that the catalogue knows.
 */
export interface AccessEntry {
  /** `req_…` */
  readonly requestId: string
  readonly dialect: string
  /** Method and pattern. */
  readonly route: string
  /** 499: the client left before it had its answer. */
  readonly status: number
  readonly ms: number
  /** Of the body. */
  readonly bytesOut: number
  readonly workspaceId: string | undefined
  readonly keyId: string | undefined
  readonly model: string | undefined
  readonly provider: string | undefined
  readonly chargedNanoUsd: bigint
}
