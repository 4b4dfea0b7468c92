/**
 * The server that the Python tests of media need: prints one line of JSON with its address and keys, serves until its
 * input ends (so that it cannot outlive the tests) and then stops.
 */
import { once } from 'node:events'
import process from 'node:process'
import { keyOf, startQuickServer, tenantKey } from './media/media-server.ts'
import { stopSound } from './openai-js/clients.ts'

const server = await startQuickServer({ CREATION_RATE_LIMIT: '20/10' })
const addresses = {
  url: server.url,
  test_key: server.testKey,
  second_key: await keyOf(server),
  capped_key: await keyOf(server, '--daily-cap', '0.5'),
  poor_key: await tenantKey(server, 'poor', 0.5),
}
process.stdout.write(`${JSON.stringify(addresses)}\n`)
process.stdin.resume()
await once(process.stdin, 'end')
await stopSound(server)
