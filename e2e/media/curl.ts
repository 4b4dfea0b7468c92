/** Runs shell as a reader of the documentation would. */
import { execFile } from 'node:child_process'
import process from 'node:process'
import { promisify } from 'node:util'
import { type Received, receivedOf } from './media-server.ts'

const LARGEST_OUTPUT_BYTES = 16 * 1024 * 1024
const PATIENCE_MS = 100_000

/** A script in a shell, with variables of its own. Resolves with what it prints; rejects with what it complains of. */
export async function shell(
  script: string,
  env: Readonly<Record<string, string>> = {},
  cwd = '/',
): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-euc', script], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    maxBuffer: LARGEST_OUTPUT_BYTES,
    timeout: PATIENCE_MS,
  })
  return stdout
}

/** One curl command of a document, with `-i` added so that the head can be seen. */
export async function curl(command: string): Promise<Received> {
  const shown = command.replace(/^curl /, 'curl --silent --show-error --include ')
  const [head = '', ...rest] = (await shell(shown)).split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers = new Headers(
    lines.map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  )
  return receivedOf(Number(first.split(' ')[1]), headers, rest.join('\r\n\r\n'))
}
