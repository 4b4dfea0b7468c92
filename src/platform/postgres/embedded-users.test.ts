/** The ways the server is started that depend on who we are. Those that need root are skipped elsewhere, by name. */
import { chmod, chown, lstat, mkdir, readlink, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { copyServerBinaries, findServerBinaries, makeLibraryLinks } from './binaries.ts'
import { startEmbeddedPostgres } from './embedded.ts'
import {
  AS_NOBODY,
  isRoot,
  nobodyCanRun,
  type OwnerProgram,
  query,
  runOwner,
  temporaryFolder,
} from './embedded-owner.fixture.ts'

const NOBODY = 65534

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let dataDir: string
const programs: OwnerProgram[] = []

beforeAll(() => {
  vi.setConfig({ testTimeout: 30_000 })
})

beforeEach(async () => {
  folder = await temporaryFolder()
  dataDir = join(folder.path, 'data')
})

afterEach(async () => {
  for (const program of programs.splice(0)) await program.stop()
  await folder.remove()
})

/** Boots, writes, is killed, boots again and reads, as an ordinary user whatever user we are. */
async function survivesAsOrdinaryUser(options: object): Promise<void> {
  if (isRoot) await chown(folder.path, NOBODY, NOBODY)
  const boot = () => {
    const program = runOwner('start', { dataDir, durable: false, ...options }, isRoot ? AS_NOBODY : [])
    programs.push(program)
    return program
  }
  const first = boot()
  const report = await first.report
  expect(report).toMatchObject({ up: true })
  await query(report?.connectionString ?? '', 'CREATE TABLE kept AS SELECT 1 AS one')
  await first.kill()
  const again = await boot().report
  expect(again).toMatchObject({ up: true })
  expect(await query(again?.connectionString ?? '', 'SELECT one FROM kept')).toEqual([{ one: 1 }])
}

test.skipIf(isRoot && !nobodyCanRun)('an ordinary user runs it as itself', () => survivesAsOrdinaryUser({}))

test.skipIf(isRoot && !nobodyCanRun)('a system without flock and pdeathsig runs it all the same', () =>
  survivesAsOrdinaryUser({ portable: true }),
)

test.runIf(nobodyCanRun)('a user without a name, as containers have them, runs it too', async () => {
  const [uid, gid] = [54_321, 54_321]
  await chown(folder.path, uid, gid)
  const prefix = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups']
  const program = runOwner('start', { dataDir, durable: false }, prefix)
  programs.push(program)
  expect(await program.report).toMatchObject({ up: true })
})

test.runIf(isRoot)('root runs it in place even in a folder that only root can enter', async () => {
  await chmod(folder.path, 0o700)
  const database = await startEmbeddedPostgres({ dataDir, durable: false })
  const found = await query(database.connectionString, 'SHOW data_directory')
  await database.stop()
  expect(found).toEqual([{ data_directory: join(dataDir, 'postgres') }])
})

test.runIf(nobodyCanRun)(
  'root without user namespaces runs it as nobody, in place where nobody can pass',
  async () => {
    await chmod(folder.path, 0o711)
    const database = await startEmbeddedPostgres({ dataDir, durable: false, userNamespaces: false })
    await query(database.connectionString, 'CREATE TABLE kept AS SELECT 1 AS one')
    await database.stop()
    expect((await stat(join(dataDir, 'postgres'))).uid).toBe(NOBODY)
    expect((await stat(dataDir)).mode & 0o007).toBe(0)
    // With namespaces back, the owner of the data decides.
    const again = await startEmbeddedPostgres({ dataDir, durable: false })
    const kept = await query(again.connectionString, 'SELECT one FROM kept')
    await again.stop()
    expect(kept).toEqual([{ one: 1 }])
  },
)

test.runIf(nobodyCanRun)(
  'a database that nobody can no longer reach is taken to a place that it can',
  async () => {
    const sharedHome = await temporaryFolder()
    await chmod(sharedHome.path, 0o755)
    await mkdir(dataDir, { mode: 0o700 })
    try {
      const before = await startEmbeddedPostgres({ dataDir, durable: false })
      await query(before.connectionString, 'CREATE TABLE kept AS SELECT 1 AS one')
      await before.stop()
      const options = { dataDir, durable: false, userNamespaces: false, sharedHome: sharedHome.path }
      for (let boot = 1; boot <= 2; boot++) {
        const database = await startEmbeddedPostgres(options)
        const kept = await query(database.connectionString, 'SELECT one FROM kept')
        await database.stop()
        expect(kept).toEqual([{ one: 1 }])
      }
      expect(await readlink(join(dataDir, 'postgres'))).toContain(sharedHome.path)
      expect((await lstat(join(dataDir, 'postgres.before-move'))).isDirectory()).toBe(true)
    } finally {
      await sharedHome.remove()
    }
  },
)

test.runIf(nobodyCanRun)("somebody else's database is refused with a sentence", async () => {
  await chown(folder.path, NOBODY, NOBODY)
  await chmod(folder.path, 0o755)
  await mkdir(join(dataDir, 'postgres'), { recursive: true })
  await chown(dataDir, NOBODY, NOBODY)
  const refused = runOwner('start', { dataDir }, AS_NOBODY)
  programs.push(refused)
  expect(await refused.report).toMatchObject({
    up: false,
    message: expect.stringContaining('belongs to the user'),
  })
})

test('library links that no install script made are made before the first start', async () => {
  const copied = await copyServerBinaries(await findServerBinaries(folder.path), folder.path)
  const link = join(copied.root, 'lib/libpq.so.5')
  await rm(link, { force: true })
  await makeLibraryLinks(copied.root)
  expect(await readlink(link)).toMatch(/^libpq\.so\.5\.\d+$/)
})
