/**
 * The servers that the Python tests need: prints one line of JSON with their address and keys, serves until its
 * input ends (so that it cannot outlive the tests) and then stops everything.
 */
import { once } from 'node:events'
import process from 'node:process'
import { LIVE_KEY, startLiveServer, stopSound } from './openai-js/clients.ts'

const { server, upstream } = await startLiveServer()
const keyOf = async (...words: string[]) =>
  (await server.cliJson<{ secret: string }>('key', 'create', '--mode', 'test', '--name', 'python', ...words))
    .secret

await server.cliJson('workspace', 'create', '--name', 'poor')
const addresses = {
  url: server.url,
  upstream_url: upstream.baseUrl.replace(/\/v1$/, ''),
  test_key: server.testKey,
  live_key: LIVE_KEY,
  capped_key: await keyOf('--daily-cap', '0.0000001'),
  poor_key: await keyOf('--workspace', 'poor'),
  narrow_key: await keyOf('--models', 'gpt-4o'),
  limited_key: await keyOf('--rate', '1/2'),
}
process.stdout.write(`${JSON.stringify(addresses)}\n`)
process.stdin.resume()
await once(process.stdin, 'end')
await stopSound(server)
await upstream.close()
