/** Files out of an answer. */
import type { Json, JsonObject } from '#spec/json.ts'
import type { ArtifactKind } from '#spec/task.ts'
import type { ProviderOutput } from '#spec/task-provider.ts'
import { isRecord, parseJson } from '../classify.ts'
import { holds, readText, readValues } from './read-answer.ts'
import type { OutputRule } from './spec.ts'

export interface FoundOutputs {
  readonly outputs: readonly ProviderOutput[]
  /** Files that moderation kept back. */
  readonly withheld: number
}

const MAX_OUTPUTS = 100
const KIND_BY_EXTENSION: readonly (readonly [ArtifactKind, RegExp])[] = [
  ['image', /\.(png|jpe?g|webp|gif|svg|avif|bmp|tiff?)$/i],
  ['video', /\.(mp4|webm|mov|mkv|m4v)$/i],
  ['audio', /\.(mp3|wav|flac|ogg|opus|m4a|aac)$/i],
  ['mesh', /\.(glb|gltf|obj|fbx|usdz|stl|ply|splat)$/i],
  ['text', /\.(txt|json|srt|vtt|mid|midi)$/i],
]

/**
 * What the rules find: results numbered in order, covers with the number of what they belong to. Entries without a usable
 * address are passed over, so half of what was asked is half. No output carries a credential.
 */
export function readOutputs(body: unknown, rules: readonly OutputRule[], asked: ArtifactKind): FoundOutputs {
  const results: ProviderOutput[] = []
  const covers: ProviderOutput[] = []
  const seen = new Set<string>()
  let withheld = 0
  for (const rule of rules) {
    const flags = rule.withheldAt === undefined ? [] : readValues(body, rule.withheldAt)
    for (const [position, entry] of entriesOf(body, rule).entries()) {
      if (results.length + covers.length >= MAX_OUTPUTS) break
      const text = entryText(entry, rule)
      const says = rule.withheldWhen !== undefined && holds(entry, rule.withheldWhen)
      if (says || (text !== undefined && flags[position] === true)) {
        withheld += 1
        continue
      }
      if (text === undefined) continue
      const isCover = rule.role === 'cover'
      const source = sourceOf(text, rule.encoding ?? 'url')
      // The same file under two names is one file.
      if (source === undefined || (!isCover && seen.has(text))) continue
      seen.add(text)
      const kind = rule.kind === 'detect' ? kindOf(text, asked) : rule.kind
      const metadata = metadataOf(entry, rule)
      if (isCover) covers.push({ kind, role: 'cover', index: position, source, metadata })
      else results.push({ kind, role: 'result', index: results.length, source, metadata })
    }
  }
  return { outputs: [...results, ...covers.filter(cover => cover.index < results.length)], withheld }
}

function entriesOf(body: unknown, rule: OutputRule): unknown[] {
  const values = readValues(body, rule.path)
  if (rule.parse !== true) return values
  return values.flatMap(value => {
    const parsed = typeof value === 'string' ? (parseJson(value) ?? value) : value
    return Array.isArray(parsed) ? parsed : [parsed]
  })
}

function entryText(entry: unknown, rule: OutputRule): string | undefined {
  if (typeof entry === 'string') return entry === '' ? undefined : entry
  return rule.urlPath === undefined ? undefined : readText(entry, rule.urlPath)
}

/** A longer head of a data URI is none: its parameters would be a pattern's undoing. */
const MOST_DATA_HEAD = 1_000

function sourceOf(text: string, encoding: 'url' | 'base64' | 'hex'): ProviderOutput['source'] | undefined {
  if (encoding !== 'url') return { read: async () => Buffer.from(text, encoding) }
  const data = /^data:[\w.+/-]*(?:;[\w=.+-]+)*;base64,/.exec(text.slice(0, MOST_DATA_HEAD))
  if (data !== null) return { read: async () => Buffer.from(text.slice(data[0].length), 'base64') }
  const url = URL.parse(text)
  return url?.protocol === 'https:' || url?.protocol === 'http:' ? { url: url.href } : undefined
}

function kindOf(text: string, asked: ArtifactKind): ArtifactKind {
  const media = /^data:(image|video|audio|model)\//.exec(text)?.[1]
  if (media !== undefined) return media === 'model' ? 'mesh' : (media as ArtifactKind)
  const path = URL.parse(text)?.pathname ?? ''
  return KIND_BY_EXTENSION.find(([, pattern]) => pattern.test(path))?.[0] ?? asked
}

function metadataOf(entry: unknown, rule: OutputRule): JsonObject {
  const metadata: Record<string, Json> = { ...rule.constant }
  if (!isRecord(entry)) return metadata
  for (const [name, path] of Object.entries(rule.metadata ?? {})) {
    const value = readValues(entry, path)[0]
    if (value !== undefined && value !== null) metadata[name] = value as Json
  }
  return metadata
}
