/** What the sandbox says in plain words: about the prompt's own topics, and never anything it was not given. */
import type { ChatMessage, ContentPart } from '#spec/chat.ts'
import { closingToolResults, instructionsOf, lastUserMessage, textOf, topicsOf } from './conversation.ts'
import type { Random } from './random.ts'

const MAX_QUOTED_CHARS = 240

const OPENINGS = [
  'Let us look at {a}.',
  'You asked about {a}, so that is where this begins.',
  'Here is a short answer on {a}.',
  'There is a good deal to say about {a}; here is the heart of it.',
]

const SENTENCES = [
  'The first thing to notice about {a} is how closely it is tied to {b}.',
  'Most people meet {a} long before they have a word for it.',
  'Once {b} is clear, {a} falls into place almost by itself.',
  'It helps to take {a} in small steps and to check each one.',
  'A useful picture: think of {a} as a map, and of {b} as the ground under it.',
  'If only one thing about {b} stays with you, let it be its link to {a}.',
  'In practice {a} is simpler than it sounds, and {b} is where the care goes.',
  'Some would put {b} first; the order matters less than doing both.',
  'A common mistake is to treat {a} as finished when it has only begun.',
  'When in doubt, write down what you know of {a} and what you only suppose.',
  'The details of {b} change from case to case, the outline of {a} does not.',
  'Try it once on something small, and {a} will hold fewer surprises.',
  'Both {a} and {b} reward a second look.',
  'That is also why {b} keeps coming up whenever {a} is discussed.',
]

const CLOSINGS = [
  'Ask again with more detail, and the answer will follow it.',
  'That is {a} in brief.',
  'This text was made by the sandbox, so it costs test credits only.',
  'From here, {b} would be the natural next step.',
]

/** An answer to the conversation. It is never empty. */
export function writeProse(messages: readonly ChatMessage[], random: Random): string {
  const results = closingToolResults(messages)
  if (results.length > 0) return summaryOf(results, messages)
  const asked = lastUserMessage(messages)
  const { words } = topicsOf(textOf(asked))
  const instructions = instructionsOf(messages)
  const wantsFew = /\b(brief|concise|short|one sentence|terse)\b/i.test(instructions)
  const body = sentencesAbout(words, wantsFew ? 0 : 2 + random.below(7), random)
  const heeded = instructions === '' ? [] : ['Keeping to the instructions I was given:']
  return [...heeded, ...attachmentsIn(asked?.content ?? []), ...body].join(' ')
}

function sentencesAbout(words: readonly string[], count: number, random: Random): string[] {
  const topics = words.length > 0 ? words : ['this question', 'its context']
  const middle = random.shuffle(SENTENCES).slice(0, count)
  const frames = [random.pick(OPENINGS), ...middle, ...(count > 0 ? [random.pick(CLOSINGS)] : [])]
  return frames.map((frame, at) => {
    const a = topics[at % topics.length] ?? 'this'
    const b = topics[(at + 1) % topics.length] ?? 'that'
    return capitalised(frame.replaceAll('{a}', () => a).replaceAll('{b}', () => (b === a ? 'the rest' : b)))
  })
}

function capitalised(sentence: string): string {
  const [first = '', ...rest] = sentence
  return first.toLocaleUpperCase('en') + rest.join('')
}

/** One sentence for each kind of attachment, so that a client sees what arrived. */
function attachmentsIn(parts: readonly ContentPart[]): string[] {
  const images = parts
    .filter(part => part.type === 'image')
    .map(part => {
      const scheme = /^([a-z]+):/i.exec(part.url)?.[1] ?? 'unknown'
      return `${scheme}, detail ${part.detail ?? 'auto'}`
    })
  const sounds = parts.filter(part => part.type === 'audio').map(part => part.format)
  const files = parts.filter(part => part.type === 'file').map(part => part.filename ?? 'unnamed')
  return [
    ...counted('I see', 'image', images),
    ...counted('I hear', 'audio clip', sounds),
    ...counted('I was given', 'file', files),
  ]
}

function counted(opening: string, noun: string, details: readonly string[]): string[] {
  if (details.length === 0) return []
  const amount = details.length === 1 ? `one ${noun}` : `${details.length} ${noun}s`
  return [`${opening} ${amount} (${details.join('; ')}).`]
}

function summaryOf(results: readonly ChatMessage[], messages: readonly ChatMessage[]): string {
  const names = new Map(
    messages.flatMap(({ toolCalls = [] }) => toolCalls.map(call => [call.id, call.name] as const)),
  )
  const sentences = results.map(result => {
    const name = names.get(result.toolCallId ?? '') ?? result.name ?? 'The tool'
    const text = textOf(result).replace(/\s+/g, ' ').trim()
    if (text === '') return `${name} answered with nothing.`
    const chars = [...text]
    return `${name} answered: ${chars.slice(0, MAX_QUOTED_CHARS).join('')}${chars.length > MAX_QUOTED_CHARS ? '…' : '.'}`
  })
  return ['Here is what I found.', ...sentences].join(' ')
}
