/** Reading a conversation: what was asked last, what it is about, and what everything else follows from. */
import type { ChatMessage, ContentPart } from '#spec/chat.ts'
import { digestOf } from './random.ts'

/** Enough of a prompt to know its topics; the rest of a long one is not read for them. */
const READ_CHARS = 4_000
const MAX_TOPICS = 8
const MAX_TOPIC_CHARS = 24

const COMMON = new Set(
  `the and for with that this these those from into your you are was were has have had will would can could should
  what when where which who whom why how does did doing done not but about there their them then than also just only
  some any all more most very much many each other such own same too our out please tell give make write say explain
  describe show help need want like using use get let me my its it's i'm`.split(/\s+/),
)

/** What a prompt speaks of. */
export interface Topics {
  /** Distinct words in the order of the text, common ones left out. */
  readonly words: readonly string[]
  /** The same, with what looks like a name (a capital inside a sentence) first. */
  readonly namesFirst: readonly string[]
}

/** The text of a message, its parts joined as they stand. */
export function textOf(message: ChatMessage | undefined): string {
  const texts = message?.content.filter(part => part.type === 'text').map(part => part.text)
  return (texts ?? []).join('\n')
}

export function lastUserMessage(messages: readonly ChatMessage[]): ChatMessage | undefined {
  return messages.findLast(message => message.role === 'user')
}

/** The tool results that the conversation ends with, in order; empty where it ends otherwise. */
export function closingToolResults(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const before = messages.findLastIndex(message => message.role !== 'tool')
  return messages.slice(before + 1)
}

/** What the instructions ask for, all system and developer messages together. */
export function instructionsOf(messages: readonly ChatMessage[]): string {
  return messages
    .filter(message => message.role === 'system' || message.role === 'developer')
    .map(textOf)
    .join('\n')
}

export function topicsOf(text: string): Topics {
  const read = text.slice(0, READ_CHARS)
  const words: string[] = []
  const names: string[] = []
  const seen = new Set<string>()
  for (const match of read.matchAll(/\p{L}[\p{L}\p{M}\p{N}'’-]*/gu)) {
    const word = [...match[0].replace(/['’-]+$/, '')].slice(0, MAX_TOPIC_CHARS).join('')
    const key = word.toLowerCase()
    const tooShort = /^[a-z']{1,2}$/.test(key)
    if (tooShort || COMMON.has(key) || seen.has(key)) continue
    seen.add(key)
    words.push(word)
    const opensSentence = /(^|[.!?:]\s*)$/.test(read.slice(Math.max(0, match.index - 3), match.index))
    if (/^\p{Lu}/u.test(word) && !opensSentence) names.push(word)
    if (words.length === 3 * MAX_TOPICS) break
  }
  const namesFirst = [...names, ...words.filter(word => !names.includes(word))]
  return { words: words.slice(0, MAX_TOPICS), namesFirst: namesFirst.slice(0, MAX_TOPICS) }
}

/**
 * One text that stands for model, messages and seed: every choice of an answer is drawn from it. Attachments
 * count by their first characters and their length, so that a large image costs nothing.
 */
export function fingerprintOf(
  model: string,
  messages: readonly ChatMessage[],
  seed: number | undefined,
): string {
  return digestOf(model, String(seed ?? ''), ...messages.flatMap(tracesOf)).toString('hex')
}

function tracesOf(message: ChatMessage): string[] {
  const calls = (message.toolCalls ?? []).map(call => `${call.name}(${call.arguments})`)
  return [message.role, message.name ?? '', ...message.content.map(traceOf), ...calls]
}

function traceOf(part: ContentPart): string {
  if (part.type === 'text') return part.text
  const { type } = part
  const data =
    type === 'image' ? part.url : type === 'audio' ? part.base64 : (part.data ?? part.filename ?? '')
  return `${type}:${data.length}:${data.slice(0, 200)}`
}
