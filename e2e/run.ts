/**
 * `npm run e2e`: installs what is missing (a Python environment of its own, a Redis server, an S3 server, ffprobe, curl),
 * runs every end-to-end test, and ends with one line of totals. A tool that is missing and cannot be installed is a failure
 * with a sentence, never a skip. Everything together has a bound in time.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import process from 'node:process'
import { exitOf, runWithin, say } from './run-process.ts'
import { type Totals, totalsOfPytest, totalsOfVitest } from './run-totals.ts'

const ROOT = resolve(import.meta.dirname, '..')
const PYTHON_TESTS = join(ROOT, 'e2e/python')
const REQUIREMENTS = join(PYTHON_TESTS, 'requirements.txt')
const VENV = join(ROOT, 'e2e/.venv')
const TOOLS = join(ROOT, 'e2e/.tools')
const VERSITYGW = 'github.com/versity/versitygw/cmd/versitygw@v1.8.0'
const MOTO = 'moto[server]==5.2.5'
const ALL_MS = 15 * 60_000
const INSTALL_MS = 180_000

/** A tool is missing, and what to do about it. */
class MissingTool extends Error {}

const startedAt = performance.now()
const leftMs = () => Math.max(1, ALL_MS - (performance.now() - startedAt))

function onPath(...names: string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return names.flatMap(name => folders.map(folder => join(folder, name))).find(path => existsSync(path))
}

/** Makes sure one of the commands is there, by Debian's package where there is none. */
async function need(commands: readonly string[], debianPackage: string): Promise<void> {
  if (onPath(...commands)) return
  const missing = `The end-to-end tests need ${commands.join(' or ')} on the PATH`
  const isRoot = process.getuid?.() === 0
  if (!isRoot || !onPath('apt-get')) throw new MissingTool(`${missing}; install ${debianPackage}.`)
  say(`installing ${debianPackage}`)
  const apt = ['apt-get', '-y', '-q', '--no-install-recommends', 'install', debianPackage]
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  if ((await exitOf(apt, { env, quiet: true, withinMs: INSTALL_MS })) !== 0) {
    await exitOf(['apt-get', '-q', 'update'], { env, quiet: true, withinMs: INSTALL_MS })
    await exitOf(apt, { env, withinMs: INSTALL_MS })
  }
  if (!onPath(...commands)) {
    throw new MissingTool(`${missing}, and apt-get could not install ${debianPackage}.`)
  }
}

/** The environment of the Python tests, made anew whenever their requirements changed. */
async function needPython(): Promise<string> {
  await need(['python3'], 'python3')
  const python = join(VENV, 'bin/python')
  const stamp = join(VENV, 'requirements.sha256')
  const wanted = createHash('sha256')
    .update(await readFile(REQUIREMENTS))
    .digest('hex')
  const found = await readFile(stamp, 'utf8').catch(() => '')
  if (found === wanted && existsSync(python)) return python
  say('preparing the Python environment')
  await rm(VENV, { recursive: true, force: true })
  const make = ['python3', '-m', 'venv', VENV]
  if ((await exitOf(make, { quiet: true, withinMs: INSTALL_MS })) !== 0) {
    // Debian keeps the module that makes environments in a package of its own.
    await exitOf(['apt-get', '-y', '-q', 'install', 'python3-venv'], { quiet: true, withinMs: INSTALL_MS })
    if ((await exitOf(make, { withinMs: INSTALL_MS })) !== 0)
      throw new MissingTool('Python cannot make a virtual environment; install python3-venv.')
  }
  const pip = [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS]
  if ((await exitOf(pip, { withinMs: INSTALL_MS })) !== 0) {
    throw new MissingTool(`pip could not install what ${REQUIREMENTS} names.`)
  }
  await writeFile(stamp, wanted)
  return python
}

/**
 * A real S3 server: the machine's own, or Versity's gateway where there is Go to make it, or else moto beside the Python
 * tests, which checks no signature.
 */
async function needS3Server(python: string): Promise<void> {
  const isThere = (path: string) => existsSync(path)
  const gateway = join(TOOLS, 'versitygw')
  if (onPath('versitygw') || isThere(gateway) || isThere(join(VENV, 'bin/moto_server'))) return
  if (onPath('go')) {
    say('making an S3 server')
    const env = { ...process.env, GOBIN: TOOLS }
    await exitOf(['go', 'install', VERSITYGW], { env, quiet: true, withinMs: INSTALL_MS })
    if (isThere(gateway)) return
  }
  say('installing an S3 server')
  const pip = [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', MOTO]
  if ((await exitOf(pip, { withinMs: INSTALL_MS })) !== 0) {
    throw new MissingTool(
      `The end-to-end tests need an S3 server, and pip could not install ${MOTO}; install versitygw.`,
    )
  }
}

/** Runs both suites one after the other: together they would share the two cores and measure each other. */
async function runSuites(python: string): Promise<Totals> {
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-e2e-run-'))
  try {
    const javascript = join(folder, 'vitest.json')
    const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
    const vitestExit = await runWithin(
      [
        process.execPath,
        vitest,
        'run',
        '--config',
        join(ROOT, 'e2e/vitest.config.ts'),
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${javascript}`,
      ],
      leftMs(),
    )
    const report = join(folder, 'pytest.xml')
    const pytestExit = await runWithin(
      [python, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', `--junitxml=${report}`, PYTHON_TESTS],
      leftMs(),
      { TOLLGATE_NODE: process.execPath, PYTHONDONTWRITEBYTECODE: '1' },
    )
    const all = [await totalsOfVitest(javascript, vitestExit), await totalsOfPytest(report, pytestExit)]
    return all.reduce((sum, one) => ({
      passed: sum.passed + one.passed,
      failed: sum.failed + one.failed,
      skipped: sum.skipped + one.skipped,
    }))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

try {
  await need(['valkey-server', 'redis-server'], 'redis-server')
  await need(['openssl'], 'openssl')
  await need(['curl'], 'curl')
  await need(['ffprobe'], 'ffmpeg')
  await need(['ffmpeg'], 'ffmpeg')
  const python = await needPython()
  await needS3Server(python)
  const { passed, failed, skipped } = await runSuites(python)
  if (skipped > 0) say(`${skipped} tests were skipped`)
  say(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1
} catch (error) {
  say(error instanceof MissingTool ? error.message : String(error instanceof Error ? error.stack : error))
  say('0 passed, 1 failed')
  process.exitCode = 1
}
