/** Puts the page of a run between the markers of docs/benchmark.md; everything else there is written by hand. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const FILE = join(ROOT, 'docs/benchmark.md')
const BEGIN = '<!-- bench:begin -->'
const END = '<!-- bench:end -->'

export function writeDocument(page: string): void {
  const text = readFileSync(FILE, 'utf8')
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`docs/benchmark.md has lost its markers ${BEGIN} and ${END}`)
  writeFileSync(FILE, `${text.slice(0, begin + BEGIN.length)}\n\n${page.trim()}\n\n${text.slice(end)}`)
}
