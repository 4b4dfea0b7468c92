/**
 * The language a vendor of media tasks is described in: rules as data, read by the engine beside it. What a vendor needs
 * beyond it (a signature of its own, a fact worked out from others) is a function in the vendor's folder.
 */
import type { Json, JsonObject } from '#spec/json.ts'
import type { MediaOperation } from '#spec/operation.ts'
import type { Exchange, Timeouts } from '#spec/ports.ts'
import type { ProviderFailureKind, ProviderSettings } from '#spec/provider.ts'
import type { ArtifactKind, TaskStage } from '#spec/task.ts'
import type { RawCallback, StartRequest } from '#spec/task-provider.ts'
import type { BinaryRule, CallRule, FileForm, FindRule, SubmitRule, UploadRule } from './call-rules.ts'
import type { InputSignature } from './signature.ts'
import type { Vocabulary } from './vocabulary.ts'

/** A path as `lib/json-path.ts` reads it, or several: the first that gives something. Parsed when the provider is defined. */
export type PathText = string | readonly string[]

/** Holds where the value at the path is (or is not) one of these, as text; `empty` looks for null, '' and absence. */
export interface Condition {
  readonly path: PathText
  readonly in?: readonly string[] | undefined
  readonly notIn?: readonly string[] | undefined
  readonly empty?: boolean | undefined
}

/** One value of a body or a query: a fact of the request by its name, or a value that is always the same. */
export interface FieldRule {
  readonly to: string
  readonly fact?: string | undefined
  readonly value?: Json | undefined
  /** Sent where the fact is not there. */
  readonly otherwise?: Json | undefined
  /** Left out where this fact is not there. */
  readonly when?: string | undefined
}

/** Files in an answer. */
export interface OutputRule {
  readonly path: PathText
  /** `detect`: by the extension of its address, else by what was asked for. */
  readonly kind: ArtifactKind | 'detect'
  readonly role?: 'result' | 'cover' | undefined
  /** What is at the path: an address (or `data:` URI), or bytes in text. An object is read at `urlPath`. */
  readonly encoding?: 'url' | 'base64' | 'hex' | undefined
  readonly urlPath?: PathText | undefined
  /** Read from the object at the path: what the vendor says of this file. */
  readonly metadata?: Readonly<Record<string, PathText>> | undefined
  readonly constant?: JsonObject | undefined
  /** A list beside it: where it says true for a file, moderation kept that file back. */
  readonly withheldAt?: PathText | undefined
  /** What the object at the path says where moderation kept this file back, with or without an address. */
  readonly withheldWhen?: readonly Condition[] | undefined
  /** Whether the value is JSON written as text. */
  readonly parse?: boolean | undefined
}

/** A word of the vendor's for where a job is. */
export type StateRule =
  | 'queued'
  | 'running'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'expired'
  /** Succeeded where something has come out already, else running. */
  | 'succeeded-with-outputs'
  | { readonly stage: TaskStage }

export interface PollRule extends CallRule {
  /** Sent with a POST. */
  readonly body?: readonly FieldRule[] | undefined
  /** Where the state is. Absent: see `byStatus`, or that outputs are there. */
  readonly state?: PathText | undefined
  /** States by HTTP status, for vendors whose status is the state. */
  readonly byStatus?: Readonly<Record<string, StateRule>> | undefined
  /** An answer that is no document is the file itself: then the job has succeeded. */
  readonly binary?: BinaryRule | undefined
  /** By the vendor's word in lower case; others are read by the shared list, and a word nobody knows means: look again. */
  readonly states?: Readonly<Record<string, StateRule>> | undefined
  /** Fields that are JSON written as text, parsed before anything is read. */
  readonly parseJsonAt?: readonly string[] | undefined
  /** `share`: where in the whole of a job in steps this one lies, from 0 to 1. */
  readonly progress?:
    | {
        readonly path: PathText
        readonly outOf: number
        readonly share?: readonly [number, number] | undefined
      }
    | undefined
  /** A failure although the state says it goes on. */
  readonly failedWhen?: readonly Condition[] | undefined
  /** Answers with an error code that only mean: not yet. */
  readonly pendingWhen?: readonly Condition[] | undefined
  readonly pendingWords?: readonly string[] | undefined
}

/** A second call that gives what came of a finished job. It is made again by every look, so it must only read. */
export interface ResultRule extends CallRule {
  /** Read from the look that said it has finished: more names for the path, the query and `handleUrl`. */
  readonly take?: Readonly<Record<string, PathText>> | undefined
  /** Any answer other than 2xx whose body has this is how the job failed; other errors mean: look again. */
  readonly failureAt?: PathText | undefined
  /** Of these statuses, even then: look again. */
  readonly lookAgain?: readonly number[] | undefined
  /** Words of a refusal that only mean: not yet. */
  readonly pendingWords?: readonly string[] | undefined
  /** The answer is the file itself. */
  readonly binary?: BinaryRule | undefined
}

/**
 * Another create call once this job has succeeded, by the family with this name. Its rules can speak of `previous.<name>`:
 * what the handle of this one holds. The gateway makes it, once.
 */
export interface NextStepRule {
  readonly family: string
  /** Only where the handle holds this, and it is not false. */
  readonly when?: string | undefined
  /** Read from the look that said it has succeeded, and kept in the handle. */
  readonly take?: Readonly<Record<string, PathText>> | undefined
}

export interface FailureRules {
  readonly code: PathText
  readonly message: PathText
  /** Conditions of an answer with status 2xx that is a success; absent: every 2xx is. */
  readonly okWhen?: readonly Condition[] | undefined
  /** What a code in a body, or a status where there is none, means for a create call. */
  readonly kinds?: Readonly<Record<string, ProviderFailureKind>> | undefined
  /** Text in code or message (lower case) that means the content was refused. */
  readonly moderationWords: readonly string[]
  /** Codes of a failed job that mean the client's request was wrong, and text that does. */
  readonly clientCodes?: readonly string[] | undefined
  readonly clientWords?: readonly string[] | undefined
  /** Text that means the operator's account there is empty. */
  readonly accountWords?: readonly string[] | undefined
}

/** What a family's jobs have in common. A provider has one or many. */
export interface FamilySpec {
  /** Kept in the handle: never rename it. */
  readonly name: string
  /** Ids it serves; `*` is any text. The first family that matches is it. */
  readonly models: readonly string[]
  /** What the input of each model is made of. Absent: everything is in the envelope. */
  readonly input?: ((model: string) => InputSignature) | undefined
  readonly vocabulary?: Vocabulary | undefined
  /** Throws a ProviderFailure where it must not be asked for that, before anything is made of it. */
  readonly admit?: ((start: StartRequest) => void) | undefined
  /** Facts beside those every request has. */
  readonly facts?: ((start: StartRequest) => Readonly<Record<string, Json | undefined>>) | undefined
  /** Absent: the job goes on from its parent's handle, without a call. */
  readonly submit?: SubmitRule | undefined
  /** Where the job's id is in the answer; in a family without `submit`, in the parent's handle. */
  readonly id: PathText
  /** More to keep in the handle, by name: text alone. */
  readonly handle?: Readonly<Record<string, PathText>> | undefined
  /** Facts of the request to keep in the handle. */
  readonly keep?: readonly string[] | undefined
  /** Absent: the answer to the create call is the result. */
  readonly poll?: PollRule | undefined
  readonly result?: ResultRule | undefined
  readonly nextStep?: NextStepRule | undefined
  readonly outputs: readonly OutputRule[]
  /** What comes out that is no file: the value there, or an object of our own of the values there. */
  readonly resultAt?: PathText | Readonly<Record<string, PathText>> | undefined
  /** Units the vendor reports to have billed: `scale` of ours to one of its. */
  readonly usage?:
    | readonly { readonly unit: string; readonly path: PathText; readonly scale: number }[]
    | undefined
  /** A success that is a refusal of the content. */
  readonly moderatedWhen?: readonly Condition[] | undefined
  /** A success that is a failure. */
  readonly failedWhen?: readonly Condition[] | undefined
  readonly failure?: Partial<FailureRules> | undefined
  readonly cancel?: CancelRule | undefined
  readonly maxCount?: number | undefined
}

export interface CancelRule extends CallRule {
  readonly cancelledStatuses: readonly number[]
  /** Where 2xx bodies tell more: the word for a job that had ended. */
  readonly tooLate?: readonly Condition[] | undefined
}

export interface CallbackFacts {
  readonly callback: RawCallback
  readonly taskId: string
  readonly nowMs: number
  readonly signal: AbortSignal
  readonly timeouts: Timeouts
}

/** Where the credential goes, and what is before it. */
export interface AuthRule {
  readonly header: string
  readonly prefix: string
  /** Made anew for every call out of the configured secret (a signed token, a pair in base64); absent: the secret itself. */
  readonly token?: ((settings: ProviderSettings, nowMs: number) => string) | undefined
}

/** Tells a genuine callback from a forged one. May ask the vendor for its keys. */
export type CallbackVerifier = (facts: CallbackFacts) => Promise<boolean>

export interface TaskProviderSpec {
  readonly id: string
  readonly title: string
  readonly homepage: string
  readonly defaultBaseUrl: string
  readonly stopsBillingOnAbort: boolean
  readonly operations: readonly MediaOperation['operation'][]
  /** In the order they are preferred. */
  readonly inputForms: readonly FileForm[]
  /** How a file becomes a name of the vendor's; for the form `upload`. */
  readonly upload?: UploadRule | undefined
  readonly auth: AuthRule
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Hosts of the vendor (and below them) that an address out of an answer may be at besides the configured origin. */
  readonly hosts: readonly string[]
  /** Those of them that are the vendor's API itself and get the credential, by https; no other ever does. */
  readonly credentialHosts?: readonly string[] | undefined
  readonly failure: FailureRules
  readonly families: readonly FamilySpec[]
  /** The id that families are matched by, where the vendor's own does not tell them apart; absent: that. */
  readonly familyId?: ((call: Pick<StartRequest, 'upstreamModel' | 'request'>) => string) | undefined
  /** Fields of an input that a client's option may never set: they change what is billed, or how the call runs. */
  readonly withheldOptions: readonly string[]
  readonly limits: {
    readonly pollMinMs: number
    readonly maxCount: number
    /** Jobs at once for one credential, where the vendor says so. */
    readonly concurrency?: number | undefined
  }
  readonly find?: FindRule | undefined
  readonly callback?:
    | {
        readonly id: PathText
        readonly verifier: (settings: ProviderSettings, exchange: Exchange) => CallbackVerifier
      }
    | undefined
}
