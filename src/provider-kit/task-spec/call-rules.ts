/** How a vendor's calls are written: their bodies, files in them, and answers that are no JSON. */
import type { ArtifactKind } from '#spec/task.ts'
import type { FieldRule, PathText } from './spec.ts'

/**
 * How a file goes into a create call: its address, a data URI, base64 without anything around it, the bytes as a part of a
 * multipart body (in JSON: a data URI), or a name that the vendor gave it when it was uploaded.
 */
export type FileForm = 'url' | 'data-uri' | 'bare-base64' | 'bytes' | 'upload'

export interface CallRule {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | undefined
  /** After the base URL; `{name}` is a fact of the request, or of the handle once there is one. */
  readonly path: string
  /** An address kept in the handle under this name; `path` is used where it may not get the credential. */
  readonly handleUrl?: string | undefined
  readonly query?: readonly FieldRule[] | undefined
  /** Beside those of every call; they go where the credential goes. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Absent: `application/json`. */
  readonly accept?: string | undefined
}

export interface SubmitRule extends CallRule {
  /** Fields beside the model's own input. */
  readonly envelope?: readonly FieldRule[] | undefined
  /** The field that the model's input goes under; absent: the body itself. */
  readonly inputAt?: string | undefined
  /** Absent: JSON. */
  readonly encoding?: 'json' | 'multipart' | undefined
  /** How several values of one field are named in a multipart body; absent: all alike. */
  readonly listFields?: 'repeat' | 'brackets' | undefined
  /** An answer that is no document is the file itself. */
  readonly binary?: BinaryRule | undefined
  /** How long a call that makes the file before it answers may take, where that is longer than what is configured. */
  readonly answersWithinMs?: number | undefined
}

/** An answer that is a file: whole or in pieces, never held whole here. What it is, its bytes say. */
export interface BinaryRule {
  readonly kind: ArtifactKind
  /** A header that says that moderation kept it back, or blanked it. */
  readonly moderatedHeader?: { readonly name: string; readonly in: readonly string[] } | undefined
  /** What the vendor says of it, by header. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** Units it says it billed, by header: `scale` of ours to one of its. */
  readonly usage?:
    | readonly { readonly unit: string; readonly header: string; readonly scale: number }[]
    | undefined
}

/**
 * A file is given to the vendor before the create call: in one multipart call, or by a JSON call that answers with an address
 * which the bytes are then sent to. Facts: `file_name`, `content_type`, `size_bytes`.
 */
export interface UploadRule {
  readonly path: string
  /** Another origin of the vendor's, where the base URL is its default; elsewhere the base URL's own. It gets the credential. */
  readonly origin?: string | undefined
  readonly fields?: readonly FieldRule[] | undefined
  /** The part that the bytes are, of a multipart call. */
  readonly fileField?: string | undefined
  /** Where the answer has the address for the bytes: https at one of the vendor's hosts. Sent by PUT, without credential. */
  readonly putTo?: PathText | undefined
  /** Where the answer has what create calls name the file by. */
  readonly reference: PathText
}

/**
 * Looks a lost create call up in a list of jobs, newest first, by the address that it was to be called back at: unguessable
 * and this call's alone. A list that does not have it proves nothing.
 */
export interface FindRule extends CallRule {
  readonly items: PathText
  /** Within an item. */
  readonly id: PathText
  readonly callbackUrl: PathText
  readonly createdAt: PathText
  /** Where the list has the address of its next page. */
  readonly next: PathText
  readonly mostPages: number
}
