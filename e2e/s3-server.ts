/**
 * A real S3 server, as a child process on the loopback address, with one empty bucket: Versity's gateway over a folder,
 * which checks every signature, or where there is none, moto's server, which checks none.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import type { S3StoreOptions } from '#platform/object-store/s3-options.ts'

export interface S3Server {
  readonly options: S3StoreOptions
  /** Moto takes any signature and any age of a link. */
  readonly kind: 'versitygw' | 'moto'
  /** Ends the process and keeps its files. Moto keeps none. */
  halt(): Promise<void>
  /** It takes connections and answers none, until `resume`. */
  freeze(): void
  /** Starts it again, unless it runs, at the same address and with the files it had. */
  resume(): Promise<void>
  /** Ends the process and removes its files. */
  stop(): Promise<void>
}

const ROOT = resolve(import.meta.dirname, '..')
const CREDENTIALS = { accessKeyId: 'tollgate-e2e', secretAccessKey: 'tollgate-e2e-secret' }
const READY_MS = 20_000

/** Starts what the machine has: `versitygw` on the PATH or in `e2e/.tools`, else `moto_server` in `e2e/.venv`. */
export async function startS3Server(): Promise<S3Server> {
  const { kind, binary } = findBinary()
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-s3-'))
  const port = await freePort()
  const [args, env] = kind === 'versitygw' ? await gatewayArguments(folder, port) : [motoArguments(port), {}]
  const { PATH } = process.env
  const launch = () =>
    spawn(binary, args, { cwd: folder, stdio: 'ignore', env: { PATH, HOME: folder, ...env } })
  let child = launch()
  // Whatever a failed test does not get to.
  const killWithUs = () => child.kill('SIGKILL')
  process.once('exit', killWithUs)
  const stop = async () => {
    process.off('exit', killWithUs)
    await end(child)
    await rm(folder, { recursive: true, force: true })
  }
  const options = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    bucket: 'tollgate-e2e',
    forcePathStyle: true,
    ...CREDENTIALS,
  }
  try {
    await createBucket(options, child)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    options,
    kind,
    stop,
    halt: () => end(child),
    freeze: () => void child.kill('SIGSTOP'),
    async resume() {
      child.kill('SIGCONT')
      if (child.exitCode === null && child.signalCode === null) return
      child = launch()
      await createBucket(options, child)
    },
  }
}

/** Moto only from our own environment: another version knows less of S3. */
function findBinary(): { kind: 'versitygw' | 'moto'; binary: string } {
  const folders = [join(ROOT, 'e2e/.tools'), ...(process.env.PATH ?? '').split(delimiter)]
  const gateway = folders.map(folder => join(folder, 'versitygw')).find(path => existsSync(path))
  if (gateway !== undefined) return { kind: 'versitygw', binary: gateway }
  const moto = join(ROOT, 'e2e/.venv/bin/moto_server')
  if (existsSync(moto)) return { kind: 'moto', binary: moto }
  throw new Error(
    'This test needs an S3 server: `GOBIN=$PWD/e2e/.tools go install github.com/versity/versitygw/cmd/versitygw@v1.8.0`, ' +
      'or `e2e/.venv/bin/pip install "moto[server]==5.2.5"`.',
  )
}

/** Metadata goes into files of its own, because not every folder has extended attributes. */
async function gatewayArguments(folder: string, port: number): Promise<[string[], Record<string, string>]> {
  const [objects, sidecar] = [join(folder, 'objects'), join(folder, 'sidecar')]
  for (const made of [objects, sidecar]) await mkdir(made)
  const { accessKeyId, secretAccessKey } = CREDENTIALS
  return [
    ['--port', `127.0.0.1:${port}`, 'posix', '--sidecar', sidecar, objects],
    { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
  ]
}

function motoArguments(port: number): string[] {
  return ['-H', '127.0.0.1', '-p', String(port)]
}

/** The bucket can be made as soon as the server is ready, and not before. One that is there already is as good. */
async function createBucket(options: S3StoreOptions, child: ChildProcess): Promise<void> {
  const { endpoint, region, forcePathStyle, bucket } = options
  const client = new S3Client({ endpoint, region, forcePathStyle, credentials: CREDENTIALS, maxAttempts: 1 })
  try {
    for (const startedAt = performance.now(); ; await delay(50)) {
      const failure = await client.send(new CreateBucketCommand({ Bucket: bucket })).then(
        () => undefined,
        error => error,
      )
      if (failure === undefined || failure.name === 'BucketAlreadyOwnedByYou') return
      if (child.exitCode !== null) throw new Error(`the S3 server ended with code ${child.exitCode}`)
      if (performance.now() - startedAt > READY_MS) throw failure
    }
  } finally {
    client.destroy()
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
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
