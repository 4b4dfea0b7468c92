/** A line of the access log, put together by hand: a sixth of what a general serializer takes. */
import type { AccessEntry } from '#spec/access-entry.ts'
import { scrubSecrets } from './scrub.ts'

/** Characters that stand for themselves in JSON. */
const PLAIN = /^[\w .:/@+*()-]*$/

/** Writes the entry as one line of JSON with its line feed; `time` is ISO 8601. Fields that are not known are left out. */
export function accessLine(entry: AccessEntry, time: string): string {
  return (
    `{"level":"info","time":"${time}","requestId":"${entry.requestId}","dialect":"${entry.dialect}"` +
    `,"route":${known(entry.route)},"status":${entry.status},"ms":${Math.round(entry.ms * 1_000) / 1_000}` +
    `,"bytesOut":${entry.bytesOut}` +
    (entry.workspaceId === undefined ? '' : `,"workspaceId":"${entry.workspaceId}"`) +
    (entry.keyId === undefined ? '' : `,"keyId":"${entry.keyId}"`) +
    (entry.model === undefined ? '' : `,"model":${known(entry.model)}`) +
    (entry.provider === undefined ? '' : `,"provider":${known(entry.provider)}`) +
    `,"chargedNanoUsd":"${entry.chargedNanoUsd}","event":"request"}\n`
  )
}

const KNOWN_TEXTS = 4_096
const knownTexts = new Map<string, string>()

/** A text from a list that hardly changes (routes, models, offerings): scrubbed and written once, then looked up. */
function known(value: string): string {
  let written = knownTexts.get(value)
  if (written === undefined) {
    written = text(scrubSecrets(value))
    if (knownTexts.size >= KNOWN_TEXTS) knownTexts.clear()
    knownTexts.set(value, written)
  }
  return written
}

function text(value: string): string {
  return PLAIN.test(value) ? `"${value}"` : JSON.stringify(value)
}
