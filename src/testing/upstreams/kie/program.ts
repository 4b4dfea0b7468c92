/**
 * kie, simulated: `node src/testing/upstreams/kie/program.ts --port 0` prints `{"port":…}`, and `startKieUpstream` is the same
 * within a test. What it can be asked for is in ../media/directives.ts. `--secret` is the key that callbacks are signed with.
 */
import { pathToFileURL } from 'node:url'
import {
  runTaskUpstream,
  startTaskUpstream,
  type TaskUpstream,
  type TaskUpstreamOptions,
} from '../media/server.ts'
import { kieFormat } from './format.ts'

export interface KieUpstream extends TaskUpstream {
  /** As the provider's base URL is written. */
  readonly baseUrl: string
}

export async function startKieUpstream(
  options: TaskUpstreamOptions & { readonly secret?: string | undefined } = {},
): Promise<KieUpstream> {
  const upstream = await startTaskUpstream(kieFormat(options.secret), options)
  return { ...upstream, baseUrl: upstream.origin }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runTaskUpstream(startKieUpstream)
}
