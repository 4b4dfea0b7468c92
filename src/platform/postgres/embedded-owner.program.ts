/**
 * For the tests of this folder: a process that owns or attaches to a database until it is told to end.
 * `node embedded-owner.program.ts <start|attach> <options as JSON>`; prints one JSON line when it is up or refused.
 */
import process from 'node:process'
import { attachOrStartEmbeddedPostgres, startEmbeddedPostgres } from './embedded.ts'
import { portableCommand } from './launch.ts'

const { portable, ...options } = JSON.parse(process.argv[3] ?? '{}')
const open = process.argv[2] === 'attach' ? attachOrStartEmbeddedPostgres : startEmbeddedPostgres
const startedAt = Date.now()
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)

try {
  const database = await open({ ...options, ...(portable ? { command: portableCommand } : {}) })
  const { attached, connectionString } = database
  say({ up: true, ms: Date.now() - startedAt, attached, connectionString })
  process.once('SIGTERM', () => void database.stop().then(() => process.exit(0)))
  setInterval(() => {}, 1 << 30)
} catch (cause) {
  const { name, message } = cause instanceof Error ? cause : new Error(String(cause))
  say({ up: false, ms: Date.now() - startedAt, name, message })
  process.exit(1)
}
