/** Files of ours: what a task made, or what a client sent. */
import { hash, randomBytes } from 'node:crypto'
import { randomBase62 } from '#lib/base62.ts'
import type { AccountRef } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { ArtifactKind } from '#spec/task.ts'

export type FileKind = ArtifactKind | 'other'
export type FileRole = 'result' | 'cover' | 'upload'

export interface FileRecord {
  readonly account: AccountRef
  readonly id: Uuid
  /** Unguessable; in the file's URL. Who has it may read the file. */
  readonly token: string
  readonly taskId: Uuid | undefined
  readonly kind: FileKind
  readonly role: FileRole
  readonly index: number
  readonly objectKey: string
  readonly thumbnailKey: string | undefined
  readonly contentType: string
  readonly fileName: string
  readonly sizeBytes: number
  /** Hex. */
  readonly sha256: string
  readonly widthPx: number | undefined
  readonly heightPx: number | undefined
  readonly durationMs: number | undefined
  readonly metadata: JsonObject
  readonly createdAt: Date
  /** Its row is written already: it could be had before its task ended. */
  readonly isStored?: boolean | undefined
}

/** 43 digits of 62: 256 random bits. */
const TOKEN_LENGTH = 43

export function newFileToken(): string {
  return randomBase62(TOKEN_LENGTH, randomBytes)
}

/**
 * Where the bytes of a file are: by account, so that what a workspace has can be listed and taken away. The name is made of
 * the stem, so that who stores the same thing again replaces it; hashed, so that names spread evenly.
 */
export function objectKeyOf(account: AccountRef, stem: string): string {
  return `files/${account.workspaceId}/${account.mode}/${nameOf(stem)}.bin`
}

export function thumbnailKeyOf(account: AccountRef, stem: string): string {
  return `thumbnails/${account.workspaceId}/${account.mode}/${nameOf(stem)}.webp`
}

const PLACE = `([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/(live|test)/([0-9a-f]{40})`
const KEY = new RegExp(`^(?:files/${PLACE}[.]bin|thumbnails/${PLACE}[.]webp)$`)

/** What an object key of ours is for; `undefined`: it is none of ours. A thumbnail is its file's, under the same name. */
export function readObjectKey(
  key: string,
): { readonly account: AccountRef; readonly objectKey: string } | undefined {
  const [workspaceId, mode, name] = (KEY.exec(key) ?? []).slice(1).filter(part => part !== undefined)
  if (workspaceId === undefined || mode === undefined || name === undefined) return undefined
  return {
    account: { workspaceId: workspaceId as Uuid, mode: mode === 'test' ? 'test' : 'live' },
    objectKey: `files/${workspaceId}/${mode}/${name}.bin`,
  }
}

/** Where files and their thumbnails are, in the order of keys. */
export const OBJECT_PREFIXES = ['files/', 'thumbnails/'] as const

function nameOf(stem: string): string {
  return hash('sha256', stem, 'hex').slice(0, 40)
}

/** A record as a task keeps it until its row is written. */
export function fileToJson(file: FileRecord): JsonObject {
  return JSON.parse(JSON.stringify(file)) as JsonObject
}

export function fileFromJson(stored: JsonObject): FileRecord {
  const file = stored as unknown as Omit<FileRecord, 'createdAt'> & { readonly createdAt: string }
  return { ...file, createdAt: new Date(file.createdAt) }
}
