/**
 * The small file by which a running owner of DATA_DIR is found. It is a hint, never a lock: the lock is the
 * kernel's, and a reader checks that the owner lives, or that its database answers.
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'

export interface OwnerRecord {
  readonly pid: number
  /** Tells a process from a later one with the same pid. Empty where the system does not say. */
  readonly born: string
  /** `server` keeps DATA_DIR until it is stopped; `command` gives it back soon. */
  readonly role: 'server' | 'command'
  readonly state: 'starting' | 'running' | 'stopping'
  readonly socketDir: string
}

const FILE = 'postgres-owner.json'

export async function writeOwnerRecord(
  dataDir: string,
  fields: Pick<OwnerRecord, 'role' | 'state' | 'socketDir'>,
): Promise<void> {
  const record: OwnerRecord = { pid: process.pid, born: await birthOf(process.pid), ...fields }
  // One name for all: who holds the lock takes over what an owner left that was killed here.
  const unfinished = join(dataDir, `${FILE}.unfinished`)
  await writeFile(unfinished, `${JSON.stringify(record)}\n`, { mode: 0o600 })
  await rename(unfinished, join(dataDir, FILE))
}

/** What the last owner wrote, whether it lives or not. */
export async function readOwnerRecord(dataDir: string): Promise<OwnerRecord | undefined> {
  try {
    return JSON.parse(await readFile(join(dataDir, FILE), 'utf8'))
  } catch {
    return undefined
  }
}

/** False also where the owner lives in another process namespace and so can't be seen from here. */
export async function ownerLives(record: OwnerRecord): Promise<boolean> {
  try {
    process.kill(record.pid, 0)
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EPERM')) return false
  }
  return (await birthOf(record.pid)) === record.born
}

/** Linux: the process namespace and the clock tick a process was started at. Elsewhere empty. */
async function birthOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return afterName[19] ?? ''
}
