/**
 * replicate, simulated: `node src/testing/upstreams/replicate/program.ts --port 0` prints `{"port":…}`, and `startReplicateUpstream` is the same
 * within a test. What it can be asked for is in ../media/directives.ts.
 */
import { pathToFileURL } from 'node:url'
import {
  runTaskUpstream,
  startTaskUpstream,
  type TaskUpstream,
  type TaskUpstreamOptions,
} from '../media/server.ts'
import { replicateFormat } from './format.ts'

export interface ReplicateUpstream extends TaskUpstream {
  /** As the provider's base URL is written. */
  readonly baseUrl: string
}

export async function startReplicateUpstream(options: TaskUpstreamOptions = {}): Promise<ReplicateUpstream> {
  const upstream = await startTaskUpstream(replicateFormat(), options)
  return { ...upstream, baseUrl: `${upstream.origin}/v1` }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runTaskUpstream(startReplicateUpstream)
}
