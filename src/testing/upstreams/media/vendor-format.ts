/** What differs between simulated vendors of media tasks: their words on the wire. */
import type { AskedJob, Job, ToldState } from './job.ts'

export interface WireAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Sent as JSON. */
  readonly body: unknown
}

export interface WireRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Readonly<Record<string, unknown>>
}

/** What a request is after; `undefined` where the vendor has no such path. */
export type Errand =
  | { readonly kind: 'create'; readonly asked: AskedJob }
  | { readonly kind: 'look' | 'result' | 'cancel'; readonly id: string }
  /** All jobs of the account. */
  | { readonly kind: 'list' }
  /** Something it answers the same always: keys, secrets. `open`: without a credential. */
  | { readonly kind: 'fixed'; readonly answer: WireAnswer; readonly open?: boolean | undefined }

/** Why a create call is refused. */
export type Refusal = 400 | 402 | 422 | 429 | 500 | 503 | 'moderated'

export interface FormatContext {
  /** The simulator's own address, without a slash at the end. */
  readonly origin: string
  /** Where the job's files are, in order. */
  files(job: Job): readonly string[]
}

export interface VendorFormat {
  readonly name: string
  /** The header a credential comes in, and what is before the key. */
  readonly auth: { readonly header: string; readonly prefix: string }
  makeId(number: number, asked: AskedJob): string
  errandOf(request: WireRequest, context: FormatContext): Errand | undefined
  created(job: Job, context: FormatContext): WireAnswer
  refused(refusal: Refusal): WireAnswer
  unauthorized(): WireAnswer
  notFound(): WireAnswer
  /** One look. `look` counts from 1. */
  looked(job: Job, told: ToldState, look: number, context: FormatContext): WireAnswer
  result?(job: Job, context: FormatContext): WireAnswer
  /** The newest first. */
  listed?(jobs: readonly Job[], context: FormatContext): WireAnswer
  /** `hadEnded`: there was nothing left to cancel. `undefined`: the vendor cannot. */
  cancelled?(job: Job, hadEnded: boolean, context: FormatContext): WireAnswer
  /** The callback about where the job is, signed; `genuine` false: by somebody else. */
  callback(
    job: Job,
    genuine: boolean,
    context: FormatContext,
  ): { readonly headers: Readonly<Record<string, string>>; readonly body: string }
}
