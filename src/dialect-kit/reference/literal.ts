/** JSON values as people write them in a program: what fits on a line is on one. */

const MAX_WIDTH = 64

interface Spelling {
  readonly indent: string
  /** How null, true and false are written. */
  readonly words: readonly [string, string, string]
  /** Behind the last item of a list that takes several lines. */
  readonly lastComma: string
}

const JSON_SPELLING: Spelling = { indent: '  ', words: ['null', 'true', 'false'], lastComma: '' }
const PYTHON_SPELLING: Spelling = { indent: '    ', words: ['None', 'True', 'False'], lastComma: ',' }

/** Valid JSON, and valid JavaScript. Lines after the first are indented `depth` times. */
export function jsonLiteral(value: unknown, depth = 0): string {
  return literal(value, JSON_SPELLING, depth, 0)
}

export function pythonLiteral(value: unknown, depth = 0): string {
  return literal(value, PYTHON_SPELLING, depth, 0)
}

/** `taken`: how much of the line its field's name takes. The value of a whole body is never on one line. */
function literal(value: unknown, spelling: Spelling, depth: number, taken: number): string {
  const { words, indent, lastComma } = spelling
  if (value === null) return words[0]
  if (typeof value === 'boolean') return value ? words[1] : words[2]
  if (typeof value !== 'object') return JSON.stringify(value)
  const isList = Array.isArray(value)
  const write = (name: string, item: unknown) => {
    const label = isList ? '' : `${JSON.stringify(name)}: `
    return label + literal(item, spelling, depth + 1, label.length + 1)
  }
  const items = Object.entries(value).map(([name, item]) => write(name, item))
  const [open, close] = isList ? ['[', ']'] : ['{', '}']
  if (items.length === 0) return open + close
  const line = `${open}${items.join(', ')}${close}`
  const fits = taken > 0 && !line.includes('\n') && indent.length * depth + taken + line.length <= MAX_WIDTH
  if (fits) return line
  const inner = indent.repeat(depth + 1)
  return `${open}\n${inner}${items.join(`,\n${inner}`)}${lastComma}\n${indent.repeat(depth)}${close}`
}
