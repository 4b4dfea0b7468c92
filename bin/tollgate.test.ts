/** The starter, in a checkout of its own whose main.ts says what it was given. */
import { execFile, spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const run = promisify(execFile)
const REPOSITORY = join(import.meta.dirname, '..')
const MAIN = `
const [word, code]: string[] = process.argv.slice(2)
if (word === 'wait') {
  process.on('SIGTERM', () => process.exit(7))
  setInterval(() => {}, 1000)
}
console.log(JSON.stringify({ args: process.argv.slice(2), node: process.versions.node }))
if (word === 'exit') process.exit(Number(code))
`

let checkout: string
let starter: string

beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'tollgate-bin-'))
  starter = join(checkout, 'bin/tollgate.js')
  await mkdir(join(checkout, 'src'))
  await cp(join(REPOSITORY, 'bin/tollgate.js'), starter)
  await cp(join(REPOSITORY, 'package.json'), join(checkout, 'package.json'))
  await symlink(join(REPOSITORY, 'node_modules'), join(checkout, 'node_modules'))
  await writeFile(join(checkout, 'src/main.ts'), MAIN)
})

afterAll(() => rm(checkout, { recursive: true, force: true }))

test('arguments arrive as they were given, at a Node that runs TypeScript', async () => {
  const { stdout } = await run(process.execPath, [starter, 'key', '--name', 'a b', ''])
  const said = JSON.parse(stdout)
  expect(said.args).toEqual(['key', '--name', 'a b', ''])
  expect(Number.parseInt(said.node, 10)).toBeGreaterThanOrEqual(24)
})

test('the exit code is the one of the command', async () => {
  await expect(run(process.execPath, [starter, 'exit', '3'])).rejects.toMatchObject({ code: 3 })
})

test('a signal reaches the command, which decides how to end', async () => {
  const child = spawn(process.execPath, [starter, 'wait'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise(resolve => child.once('exit', resolve))
  for await (const _ of createInterface({ input: child.stdout })) {
    child.kill('SIGTERM')
    break
  }
  expect(await ended).toBe(7)
})
