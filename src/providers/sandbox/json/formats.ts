/**
 * The string formats of JSON Schema: how to write one, and how to know one. A format that is not here is an
 * annotation, as the standard has it, and is ignored. Dates lie in the years 2024 to 2027 and never depend on
 * today. The URI family is known more narrowly than the standard has it; the others as RFC 3339, 4122, 6901 say.
 */
import { isIPv4, isIPv6 } from 'node:net'
import type { Random } from '../random.ts'

export interface Format {
  /** Writes one. `word` is lower-case ASCII letters; `length` is about how long it should be, 0 for no wish. */
  write(random: Random, word: string, length: number): string
  accepts(text: string): boolean
}

const DAY_MS = 86_400_000
const FIRST_DAY_MS = Date.UTC(2024, 0, 1)
const LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'

const byExpression = (expression: RegExp) => (text: string) => expression.test(text)
const two = (value: number) => String(value).padStart(2, '0')
const hex = (random: Random, digits: number) =>
  Array.from({ length: digits }, () => random.below(16).toString(16)).join('')

const date: Format = {
  write: random => new Date(FIRST_DAY_MS + random.below(1_400) * DAY_MS).toISOString().slice(0, 10),
  accepts: text => {
    if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false
    const midnight = new Date(`${text}T00:00:00Z`)
    return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(text)
  },
}

const time: Format = {
  write: random => `${two(random.below(24))}:${two(random.below(60))}:${two(random.below(60))}Z`,
  accepts: byExpression(/^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(z|[+-]([01]\d|2[0-3]):?[0-5]\d)$/i),
}

const dateTime: Format = {
  write: (random, word, length) => `${date.write(random, word, length)}T${time.write(random, word, length)}`,
  accepts: text =>
    /^[t ]$/i.test(text.slice(10, 11)) && date.accepts(text.slice(0, 10)) && time.accepts(text.slice(11)),
}

const duration: Format = {
  write: random => `P${1 + random.below(9)}DT${1 + random.below(23)}H`,
  accepts: byExpression(/^P(?!$)((\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?|(\d+W)?)$/),
}

const email: Format = {
  write: (_random, word, length) => {
    if (length === 0) return `${word}@example.com`
    if (length < 17) return `${repeated(word, Math.max(1, length - 5))}@b.co`
    const local = repeated(word, Math.min(64, length - 12))
    return `${local}@${hostOf(word, length - local.length - 1)}`
  },
  accepts: byExpression(
    new RegExp(
      `^[a-z0-9!#$%&'*+/=?^_\`{|}~-]+(\\.[a-z0-9!#$%&'*+/=?^_\`{|}~-]+)*@(${LABEL}\\.)+${LABEL}$`,
      'i',
    ),
  ),
}

const hostname: Format = {
  write: (_random, word, length) =>
    length > 0 && length < 11 ? repeated(word, length) : hostOf(word, length),
  accepts: byExpression(new RegExp(`^(?=.{1,253}\\.?$)${LABEL}(\\.${LABEL})*\\.?$`, 'i')),
}

const uri: Format = {
  write: (_random, word, length) =>
    pathOf(word, length, length > 0 && length < 20 ? 'a://b/' : 'https://example.com/'),
  accepts: byExpression(/^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+(\/[a-z0-9._~/-]*)?$/i),
}

const reference: Format = {
  write: (_random, word, length) => pathOf(word, length, '/'),
  accepts: byExpression(/^\/[a-z0-9._~/-]*$/i),
}

const pointer: Format = { write: reference.write, accepts: byExpression(/^(\/([^~/]|~0|~1)*)*$/) }

const relativePointer: Format = {
  write: (_random, word) => `0/${word}`,
  accepts: byExpression(/^(0|[1-9]\d*)(#|(\/([^~/]|~0|~1)*)*)$/),
}

const regex: Format = {
  write: (_random, word) => `^${word}$`,
  accepts: text => {
    try {
      return new RegExp(text, 'u') !== undefined && !text.includes('\\Z')
    } catch {
      return false
    }
  },
}

const ipv4: Format = { write: random => `192.0.2.${random.below(256)}`, accepts: isIPv4 }

const ipv6: Format = {
  write: random => `2001:db8::${1 + random.below(9)}${hex(random, 3)}`,
  accepts: text => isIPv6(text) && !text.includes('%'),
}

const uuid: Format = {
  write: random =>
    `${hex(random, 8)}-${hex(random, 4)}-4${hex(random, 3)}-${random.pick(['8', '9', 'a', 'b'])}${hex(random, 3)}-${hex(random, 12)}`,
  accepts: byExpression(/^(urn:uuid:)?[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i),
}

const base64: Format = {
  write: (_random, word) => Buffer.from(word).toString('base64'),
  accepts: byExpression(/^([a-z0-9+/]{4})*([a-z0-9+/]{2}==|[a-z0-9+/]{3}=)?$/i),
}

export const FORMATS: ReadonlyMap<string, Format> = new Map<string, Format>([
  ['date-time', dateTime],
  ['iso-date-time', dateTime],
  ['date', date],
  ['time', time],
  ['iso-time', time],
  ['duration', duration],
  ['email', email],
  ['idn-email', email],
  ['hostname', hostname],
  ['idn-hostname', hostname],
  ['uri', uri],
  ['iri', uri],
  ['url', uri],
  ['uri-reference', reference],
  ['iri-reference', reference],
  ['uri-template', reference],
  ['json-pointer', pointer],
  ['relative-json-pointer', relativePointer],
  ['regex', regex],
  ['ipv4', ipv4],
  ['ipv6', ipv6],
  ['uuid', uuid],
  ['byte', base64],
])

function repeated(word: string, length: number): string {
  return word.repeat(Math.ceil(length / word.length)).slice(0, length)
}

/** `example.com`, with a label before it where it should be longer. */
function hostOf(word: string, length: number): string {
  const spare = Math.min(length - 'example.com'.length - 1, 60)
  return spare > 0 ? `${repeated(word, spare)}.example.com` : 'example.com'
}

function pathOf(word: string, length: number, start: string): string {
  return length > 0 ? start + repeated(word, Math.max(0, length - start.length)) : start + word
}
