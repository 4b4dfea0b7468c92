/** A wire part in the making: which bytes of a read it takes, and what they deliver. */
import type { ChatStreamPart } from '#spec/chat.ts'
import type { Delivered } from './event-scan.ts'
import { OPENAI_FORMAT } from './request-body.ts'

export class PartDraft implements Delivered {
  outputBytes = 0
  deltas = 0
  /** Pairs of from and to. */
  readonly #ranges: number[] = []

  /** Takes a range, joining it to the one before where they touch. */
  take(from: number, to: number): void {
    const ranges = this.#ranges
    if (ranges.length > 0 && ranges[ranges.length - 1] === from) ranges[ranges.length - 1] = to
    else ranges.push(from, to)
  }

  /** Takes over all that another draft of the same read has, which comes after its own. */
  absorb(other: PartDraft): void {
    const ranges = other.#ranges.splice(0)
    for (let at = 0; at < ranges.length; at += 2) this.take(ranges[at] ?? 0, ranges[at + 1] ?? 0)
    this.outputBytes += other.outputBytes
    this.deltas += other.deltas
    other.outputBytes = 0
    other.deltas = 0
  }

  get empty(): boolean {
    return this.#ranges.length === 0
  }

  /** `rewrite` sees the text of all ranges; where it changes nothing the bytes are those of the read. */
  toPart(region: Buffer, text: string, closing: boolean, rewrite: (text: string) => string): ChatStreamPart {
    const own = this.#textOf(text)
    const rewritten = rewrite(own)
    const bytes = rewritten === own ? this.#bytesOf(region) : Buffer.from(rewritten, 'latin1')
    const { outputBytes, deltas } = this
    return { type: 'wire', format: OPENAI_FORMAT, bytes, closing, outputBytes, deltas }
  }

  #textOf(text: string): string {
    const ranges = this.#ranges
    if (ranges.length === 2) return text.slice(ranges[0], ranges[1])
    let joined = ''
    for (let at = 0; at < ranges.length; at += 2) joined += text.slice(ranges[at], ranges[at + 1])
    return joined
  }

  #bytesOf(region: Buffer): Buffer {
    const ranges = this.#ranges
    if (ranges.length === 2) return region.subarray(ranges[0], ranges[1])
    const pieces: Buffer[] = []
    for (let at = 0; at < ranges.length; at += 2) pieces.push(region.subarray(ranges[at], ranges[at + 1]))
    return Buffer.concat(pieces)
  }
}
