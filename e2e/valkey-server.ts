/** A Valkey (or Redis) server of the machine, as a child process on the loopback address. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import process from 'node:process'

export interface ValkeyServer {
  readonly url: string
  /** Of the server's certificate, where it speaks TLS. */
  readonly ca: string | undefined
  start(): Promise<void>
  /** Ends the process at once, as a crash would. */
  kill(): Promise<void>
  /** The process stays, its connections too, and nothing is answered. */
  freeze(): void
  thaw(): void
  /** Ends the process and removes its files. */
  stop(): Promise<void>
}

/** Prepares a server with a port of its own and nothing on disk. Throws where the machine has none installed. */
export async function createValkeyServer(options: { tls?: boolean } = {}): Promise<ValkeyServer> {
  const binary = findBinary()
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-valkey-'))
  const port = await freePort()
  const ca = options.tls ? await createCertificate(folder) : undefined
  let child: ChildProcess | undefined

  async function kill(): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  return {
    url: `${options.tls ? 'rediss' : 'redis'}://127.0.0.1:${port}`,
    ca,
    async start() {
      const listen = options.tls
        ? ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no', ...certificateFlags(folder)]
        : ['--port', String(port)]
      const flags = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
      child = spawn(binary, [...listen, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
      await ready(child)
    },
    kill,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async stop() {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function findBinary(): string {
  const folders = (process.env.PATH ?? '').split(delimiter)
  for (const name of ['valkey-server', 'redis-server']) {
    const found = folders.map(folder => join(folder, name)).find(path => existsSync(path))
    if (found !== undefined) return found
  }
  throw new Error(
    'This test needs valkey-server or redis-server on the PATH (Debian: apt-get install redis-server).',
  )
}

async function ready(child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  child.once('error', reject)
  child.once('exit', code => reject(new Error(`the server ended with code ${code}`)))
  child.stdout?.on('data', (chunk: Buffer) => {
    if (chunk.includes('Ready to accept connections')) resolve()
  })
  await promise
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return address.port
}

async function createCertificate(folder: string): Promise<string> {
  const request = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=tollgate-test',
  ]
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')]
  execFileSync('openssl', [...request, '-addext', 'subjectAltName=IP:127.0.0.1', ...files], {
    stdio: 'ignore',
  })
  return await readFile(join(folder, 'cert.pem'), 'utf8')
}

function certificateFlags(folder: string): string[] {
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  return ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate]
}
