/**
 * The events of one stream differ, nearly all, in one piece of text. What is the same in them is compared as a
 * whole, and what differs is walked over: some 100 ns an event, a sixth of what parsing costs.
 */
import {
  countString,
  type Delivered,
  endOfString,
  findOutputs,
  findStrings,
  type StringSpan,
} from './event-scan.ts'

/** Random padding OpenAI puts into events to hide their length. */
const PADDING_KEY = '"obfuscation"'

/** The fixed text before a value, and whether that value is output. The text behind the last is `#tail`. */
interface Hole {
  readonly before: string
  readonly isOutput: boolean
}

/**
 * Learnt from an event in which there was nothing of note. Another that equals it outside of its string values
 * has the same keys, so nothing of note either.
 */
export class EventTemplate {
  #holes: readonly Hole[] = []
  #tail = ''

  /**
   * Where the event at `from` ends if it is one of the kind, adding what it delivers; -1 if it is not, and then
   * nothing is added.
   */
  match(text: string, from: number, into: Delivered): number {
    const [first] = this.#holes
    if (first === undefined) return -1
    let at = from
    let output = -1
    let outputEnd = -1
    for (const { before, isOutput } of this.#holes) {
      const value = at + before.length
      if (text.slice(at, value) !== before) return -1
      at = endOfString(text, value)
      if (at < 0) return -1
      if (isOutput) {
        output = value
        outputEnd = at
      }
    }
    const end = at + this.#tail.length
    if (text.slice(at, end) !== this.#tail) return -1
    countString(text, output, outputEnd, into)
    return end
  }

  /** Takes an ordinary event as the new example, if it has exactly one output value. */
  learn(text: string, from: number, to: number): void {
    const event = text.slice(from, to)
    const outputs: StringSpan[] = []
    const padding: StringSpan[] = []
    findOutputs(event, span => outputs.push(span))
    if (outputs.length !== 1) return
    findStrings(event, PADDING_KEY, span => padding.push(span))
    const spans = [...outputs, ...padding].sort((a, b) => a.from - b.from)
    let at = 0
    this.#holes = spans.map(span => {
      const before = event.slice(at, span.from)
      at = span.to
      return { before, isOutput: span === outputs[0] }
    })
    this.#tail = event.slice(at)
  }
}
