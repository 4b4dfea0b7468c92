/** Streams as vendors write them, and the lane to send them through. */
import { Collected } from '../conformance/calls.ts'
import { ModelEcho } from './model-echo.ts'
import { StreamProgress } from './stream-progress.ts'
import { WireReader } from './wire-reader.ts'

export const SERVED = 'gpt-served-2026-08-01'
export const ASKED = 'vendor/änders "$&"'

/** Sends the reads through the lossless lane. */
export async function read(chunks: readonly Buffer[], options: { echo?: boolean; choices?: number } = {}) {
  const collected = new Collected()
  const asked = options.echo === true ? ASKED : undefined
  const progress = new StreamProgress('Vendor', asked)
  const echo = asked === undefined ? undefined : new ModelEcho(asked)
  const reader = new WireReader(progress, echo, collected.receive, (options.choices ?? 1) > 1)
  for (const chunk of chunks) await reader.feed(chunk)
  await reader.feedRest()
  return { collected, progress }
}

export function chunk(
  delta: unknown,
  finish: string | null = null,
  more: Record<string, unknown> = {},
  index = 0,
) {
  return {
    id: 'c1',
    model: SERVED,
    choices: [{ index, delta, logprobs: null, finish_reason: finish }],
    usage: null,
    ...more,
  }
}

export const event = (data: unknown) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
export const USAGE = {
  id: 'c1',
  model: SERVED,
  choices: [],
  usage: { prompt_tokens: 3, completion_tokens: 5 },
}
export const FINISH = event(chunk({}, 'stop'))
