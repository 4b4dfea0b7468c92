/**
 * fal, simulated: `node src/testing/upstreams/fal/program.ts --port 0` prints `{"port":…}`, and `startFalUpstream` is the same
 * within a test. What it can be asked for is in ../media/directives.ts.
 */
import { pathToFileURL } from 'node:url'
import {
  runTaskUpstream,
  startTaskUpstream,
  type TaskUpstream,
  type TaskUpstreamOptions,
} from '../media/server.ts'
import { falFormat } from './format.ts'

export interface FalUpstream extends TaskUpstream {
  /** As the provider's base URL is written. */
  readonly baseUrl: string
}

export async function startFalUpstream(options: TaskUpstreamOptions = {}): Promise<FalUpstream> {
  const upstream = await startTaskUpstream(falFormat(), options)
  return { ...upstream, baseUrl: upstream.origin }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runTaskUpstream(startFalUpstream)
}
