import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ObjectStore } from '#spec/object-store.ts'
import { objectStoreConformance } from './conformance.suite.ts'
import { openDiskStore } from './disk-store.ts'

const PNG = { contentType: 'image/png', maxBytes: 1_000_000_000 }
const KEY = 'artifacts/2026/abcdef.png'

async function withFolder(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-objects-'))
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}

describe('the disk', () => {
  objectStoreConformance({
    async open() {
      const { folder, remove } = await withFolder()
      return { store: await openDiskStore({ folder: join(folder, 'files') }), close: remove }
    },
    largeBytes: 300_000,
    runs: 40,
  })
})

describe('what is on the disk', () => {
  let root: string
  let store: ObjectStore
  let remove: () => Promise<void>
  beforeEach(async () => {
    const made = await withFolder()
    root = join(made.folder, 'files')
    remove = made.remove
    store = await openDiskStore({ folder: root })
  })
  afterEach(() => remove())

  test('can be entered and read by nobody else, whatever the folder was before', async () => {
    await store.put(KEY, Buffer.from('secret'), PNG)
    const entries = await readdir(root, { recursive: true, withFileTypes: true })
    expect(entries.filter(entry => entry.isFile())).toHaveLength(1)
    for (const entry of entries) {
      const { mode } = await stat(join(entry.parentPath, entry.name))
      expect(mode & 0o777).toBe(entry.isFile() ? 0o600 : 0o700)
    }
    const open = join(root, 'opened')
    await mkdir(open, { mode: 0o755 })
    await openDiskStore({ folder: open })
    expect((await stat(open)).mode & 0o777).toBe(0o700)
  })

  test('leaves no empty folder behind, and a put never fails because its folder goes at that moment', async () => {
    const put = (name: string) => store.put(`artifacts/race/${name}.png`, Buffer.from('x'), PNG)
    const remove = (name: string) => store.delete(`artifacts/race/${name}.png`)
    for (let round = 0; round < 150; round++) {
      await put('ab-goes')
      const puts = [put('ab-first'), put('ab-second')]
      await Promise.all([...puts, remove('ab-goes')])
      await Promise.all([remove('ab-first'), remove('ab-second')])
    }
    expect(await readdir(root)).toEqual(['.incoming'])
  })

  test('loses what a crashed put left, but not what a running one writes', async () => {
    const [old, young] = ['old', 'young'].map(name => join(root, '.incoming', name)) as [string, string]
    for (const file of [old, young]) await writeFile(file, 'half')
    const yesterday = new Date(Date.now() - 25 * 3_600_000)
    await utimes(old, yesterday, yesterday)
    store = await openDiskStore({ folder: root })
    expect(await readdir(join(root, '.incoming'))).toEqual(['young'])
    expect(await store.sweepLeftovers(0)).toBe(1)
    expect(await store.list('')).toEqual({ objects: [], next: undefined })
  })

  test('may be other files too, which are neither listed nor followed', async () => {
    await store.put(KEY, Buffer.from('x'), PNG)
    await writeFile(join(root, 'README'), 'hello')
    await writeFile(join(root, 'artifacts/2026/.ab/Not A Key.txt'), 'hello')
    await mkdir(join(root, 'artifacts/2026/.li'))
    await symlink('/etc/hostname', join(root, 'artifacts/2026/.li/link.png'))
    const page = await store.list('')
    expect(page.objects.map(object => object.key)).toEqual([KEY])
    await expect(store.get('artifacts/2026/link.png')).rejects.toThrow('object store: unavailable (ELOOP)')
  })

  test('cannot be presigned', async () => {
    expect(await store.presign(KEY, { expiresInSeconds: 60 })).toBeNull()
  })

  test('is never named in an error', async () => {
    await writeFile(join(root, 'blocked'), 'a file where a folder should be')
    const failure = store.put('blocked/abc.png', Buffer.from('x'), PNG)
    await expect(failure).rejects.toThrow(/^object store: unavailable \((?:EEXIST|ENOTDIR)\)$/)
    await expect(openDiskStore({ folder: join(root, 'blocked') })).rejects.toThrow(
      /^object store: unavailable \((?:EEXIST|ENOTDIR)\)$/,
    )
  })

  test('after a kill in the middle of a put is what was there before, whole', async () => {
    await store.put(KEY, Buffer.from('before'), PNG)
    const program = `
      import { openDiskStore } from ${JSON.stringify(new URL('./disk-store.ts', import.meta.url).href)}
      const store = await openDiskStore({ folder: process.argv[1] })
      const source = async function* () {
        for (let sent = 0; ; sent++) {
          yield Buffer.alloc(100_000, 'x')
          if (sent === 10) process.stdout.write('half')
          if (sent > 10) await new Promise(resolve => setTimeout(resolve, 1))
        }
      }
      await store.put(${JSON.stringify(KEY)}, source(), { contentType: 'image/png', maxBytes: 1e12 })`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program, root])
    await once(child.stdout, 'data')
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    store = await openDiskStore({ folder: root })
    const found = await store.get(KEY)
    expect(found && (await buffer(found.stream)).toString()).toBe('before')
    expect((await store.list('')).objects).toHaveLength(1)
    expect(await store.sweepLeftovers(0)).toBe(1)
  })
})
