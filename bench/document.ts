/** Puts the pages of a run between the markers of docs/benchmark.md; everything else there is written by hand. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const FILE = join(ROOT, 'docs/benchmark.md')
/** Each part of a run has its own place, so that one can be measured anew without the other. */
export type Part = 'bench' | 'bench-tasks'

export function writeDocument(part: Part, page: string): void {
  writeFileSync(FILE, withPart(readFileSync(FILE, 'utf8'), part, page))
}

/** The text with the page between the markers of its part. Throws where they are not there. */
export function withPart(text: string, part: Part, page: string): string {
  const [opening, closing] = [`<!-- ${part}:begin -->`, `<!-- ${part}:end -->`]
  const begin = text.indexOf(opening)
  const end = text.indexOf(closing)
  if (begin < 0 || end < begin)
    throw new Error(`docs/benchmark.md has lost its markers ${opening} and ${closing}`)
  return `${text.slice(0, begin + opening.length)}\n\n${page.trim()}\n\n${text.slice(end)}`
}
