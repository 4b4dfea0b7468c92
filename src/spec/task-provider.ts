/**
 * What a provider of media must be: `start` makes one create call and gives a handle, `check` makes one look at it.
 * Neither waits, retries, loops or downloads; the gateway does, and decides what each answer means for money.
 */
import type { Json, JsonObject } from './json.ts'
import type { InputRole } from './media.ts'
import type { MediaOperation } from './operation.ts'
import type { Timeouts } from './ports.ts'
import type { ArtifactKind, TaskStage } from './task.ts'

/** An input as the provider may use it: checked, and fetchable by the vendor. */
export interface ResolvedInput {
  readonly role: InputRole
  /**
   * A public URL, or a data URI where the file is ours and the vendor cannot reach us; empty where there are bytes alone.
   */
  readonly url: string
  readonly contentType: string
  /** The bytes, for a provider that runs here or takes no addresses. Where it was asked for `bytes` they are here already. */
  readonly read: () => Promise<Uint8Array>
}

export type InputForm = 'url' | 'data-uri' | 'bytes'

export interface StartRequest {
  readonly request: MediaOperation
  /** The exact endpoint or model id at the vendor for this action. */
  readonly upstreamModel: string
  /** The HTTP path at the vendor, where the catalogue says one. */
  readonly path?: string | undefined
  readonly action: string
  readonly inputs: readonly ResolvedInput[]
  /** How many of `request.count` this create call is for. */
  readonly count: number
  /** Ours, unguessable, for this attempt alone; `undefined` where this installation cannot be reached from outside. */
  readonly callbackUrl: string | undefined
  /** An id of ours for this attempt, for vendors that can look a create call up by it. */
  readonly reference: string
  /** What an earlier task at this provider left behind, for calls that go on from it. */
  readonly parentHandle: Json | undefined
  /**
   * Of a job in steps: the handle of the step that is done, as `check` gave it with `next-step`; the call to make is the next.
   * Absent: the first.
   */
  readonly previousStep?: Json | undefined
}

export interface TaskContext {
  readonly signal: AbortSignal
  readonly timeouts: Timeouts
  /**
   * The bytes of a file of ours that the task names, by its address; `undefined` where it is no file of this workspace
   * or is gone. For a provider that runs here and works when it is looked at.
   */
  readonly readInput?: ((url: string) => Promise<Uint8Array | undefined>) | undefined
}

/** A file at the vendor. */
export interface ProviderOutput {
  readonly kind: ArtifactKind
  readonly role: 'result' | 'cover'
  readonly index: number
  readonly source: /** Fetched through `safeFetch`; `headers` go to this very origin only. */
    | { readonly url: string; readonly headers?: Readonly<Record<string, string>> | undefined }
    /**
     * Bytes that are no address: all of them, or in pieces as they come from the vendor. Pieces can be read once, and an
     * error among them means that there are no more.
     */
    | { readonly read: () => Promise<Uint8Array | AsyncIterable<Uint8Array>> }
  readonly metadata: JsonObject
}

/** What came of a whole task at the vendor. */
export interface TaskDone {
  readonly outputs: readonly ProviderOutput[]
  readonly result?: Json | undefined
  /**
   * Units the vendor says it billed, by our unit names, whole and as decimal text; absent: count what was delivered. The
   * charge never goes above the hold.
   */
  readonly billedUnits?: Readonly<Record<string, string>> | undefined
}

export type Started =
  | { readonly kind: 'started'; readonly handle: Json; readonly checkAfterMs?: number | undefined }
  /** Done in the create call itself. */
  | ({ readonly kind: 'succeeded' } & TaskDone)

export type Checked =
  | {
      readonly kind: 'pending'
      readonly state: 'queued' | 'running'
      /** From 0 to 1. May run backwards at the vendor; we never show that. */
      readonly progress?: number | undefined
      readonly stage?: TaskStage | undefined
      /** What can be had already at this stage. */
      readonly partial?: Pick<TaskDone, 'result' | 'outputs'> | undefined
      readonly checkAfterMs?: number | undefined
      /** Replaces the handle: the next step of a job in steps. */
      readonly handle?: Json | undefined
    }
  | ({ readonly kind: 'succeeded' } & TaskDone)
  /**
   * This step of the job is done, and the next is a create call of its own, as billable as the first: `start` makes it, with
   * this handle as `previousStep`. Said again by every look until then.
   */
  | { readonly kind: 'next-step'; readonly handle: Json; readonly progress?: number | undefined }
  | {
      readonly kind: 'failed'
      readonly fault: 'client' | 'moderation' | 'vendor'
      /** Safe to show. */
      readonly message: string
      /** Whether another offering may be tried within the same hold. Never after output was made. */
      readonly retryable: boolean
    }

/**
 * Media at one provider. `start` and `check` throw ProviderFailure only. A `start` that throws anything but
 * `unavailable`, `rate-limited`, `rejected`, `content-rejected` or `credential` may have run: its outcome is unknown.
 */
export interface TaskCapability {
  readonly operations: readonly MediaOperation['operation'][]
  /** The forms it takes files in; with `bytes` it reads them itself (`ResolvedInput.read`). */
  readonly inputForms: readonly InputForm[]
  /** The most files one create call makes of this request; more are split into several creates under one hold. */
  maxCount(request: MediaOperation, upstreamModel: string): number
  /** Jobs at once for one credential, from the create call until the job has ended; absent: no such limit is known. */
  readonly maxConcurrency?: number | undefined
  start(request: StartRequest, context: TaskContext): Promise<Started>
  check(handle: Json, context: TaskContext): Promise<Checked>
  cancel?(handle: Json, context: TaskContext): Promise<'cancelled' | 'too-late' | 'unsupported'>
  /**
   * Looks up a create call whose answer was lost, by its reference or by what else of it nobody else knows; `'none'`: it is
   * known not to have run, and will be sent again. What was found must be that very call.
   */
  find?(
    reference: string,
    context: TaskContext,
    lost?: LostCall,
  ): Promise<{ readonly handle: Json } | 'none' | 'unknown'>
  /** Reads a vendor's callback. It only ever makes us look again: nothing in it is believed. */
  callback?: CallbackReader | undefined
  /**
   * Reads a callback about a create call whose answer was lost: where it is genuine and names the job, the handle that the
   * answer would have given, else `undefined`. The job's id is taken from it and nothing else; looks say how the job is.
   */
  adopt?: CallbackAdopter | undefined
}

/** What a create call said, but for its files. */
export type LostCall = Omit<StartRequest, 'inputs'>

/** What a create call said, but for its files and where it was to be called back. */
export type CreatedCall = Omit<StartRequest, 'inputs' | 'callbackUrl'>

export interface RawCallback {
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
  /** The whole URL it came to. */
  readonly url: string
}

/** Gives true where the callback is genuine and about the attempt with this handle. */
export type CallbackReader = (
  callback: RawCallback,
  handle: Json,
  context: TaskContext & { readonly nowMs: number },
) => Promise<boolean>

/** Gives the handle of the job that a genuine callback to a create call's own address names. */
export type CallbackAdopter = (
  callback: RawCallback,
  created: CreatedCall,
  context: TaskContext & { readonly nowMs: number },
) => Promise<Json | undefined>
