/** Files of ours by the addresses that clients name them by. */
import { buffer } from 'node:stream/consumers'
import { type FileRecord, parseFileUrl } from '#modules/files/index.ts'
import type { AccountRef } from '#spec/account.ts'
import type { GatewayParts } from './parts.ts'

/** One of our files by its URL. */
export async function ownFile(
  parts: GatewayParts,
  account: AccountRef,
  url: string,
): Promise<FileRecord | 'elsewhere' | 'not-theirs'> {
  const { publicUrl, filesUrl } = parts.media.settings
  const address = parseFileUrl(url, [filesUrl, publicUrl])
  if (!address) return url.startsWith(`${publicUrl}/files/`) ? 'not-theirs' : 'elsewhere'
  const file = await parts.media.files.findByToken(address.token)
  if (!file || file.account.workspaceId !== account.workspaceId || file.account.mode !== account.mode)
    return 'not-theirs'
  return file
}

/** The bytes of a file of ours; `undefined` where it is another's, gone, or somebody else's file. */
export async function readOwnFile(
  parts: GatewayParts,
  account: AccountRef,
  url: string,
): Promise<Uint8Array | undefined> {
  const file = await ownFile(parts, account, url)
  if (typeof file === 'string') return undefined
  const found = await parts.media.objects.get(file.objectKey)
  return found ? buffer(found.stream) : undefined
}
