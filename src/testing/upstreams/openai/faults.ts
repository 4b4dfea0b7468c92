/** What a call to the simulated vendor should meet, and how it is asked for. */

export const FAULTS = [
  // Refused before any work.
  'error400',
  'error401',
  'error402',
  'error404',
  'error500',
  'error502',
  'error503',
  'rate429',
  'quota429',
  'context-length',
  'content-policy',
  // Broken before the head, or instead of an answer.
  'hang',
  'reset',
  'html',
  'error-200',
  'not-json',
  'no-choices',
  // Broken within a stream.
  'hang-mid',
  'cut',
  'eof',
  'malformed',
  'error-event',
  'error-first',
  'finish-error',
  // Odd but sound.
  'drip',
  'split-utf8',
  'crlf',
  'comments',
  'no-done',
  'usage-with-last',
  // Usage that is not what it should be.
  'no-usage',
  'usage-x1000',
  'usage-negative',
  'usage-text',
] as const

export type Fault = (typeof FAULTS)[number]

/** Everything one call may ask of the simulator. */
export interface Directives {
  fault: Fault | undefined
  /** Output tokens, before any limit in the request; one event each where streamed. */
  tokens: number
  /** Of the input: how many were read from a cache, and written to one. */
  cachedTokens: number
  cacheWriteTokens: number
  /** Hidden reasoning: billed as output, never sent. */
  reasoningTokens: number
  eventsPerWrite: number
  /** Between two writes of a stream, for each event of a write. */
  delayMs: number
  /** After so many events a fault within a stream happens. */
  faultAfter: number
  retryAfterSeconds: number
}

export const DEFAULT_DIRECTIVES: Directives = {
  fault: undefined,
  tokens: 16,
  cachedTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  eventsPerWrite: 1,
  delayMs: 0,
  faultAfter: 3,
  retryAfterSeconds: 2,
}

const NUMBERS: Readonly<Record<string, Exclude<keyof Directives, 'fault'>>> = {
  tokens: 'tokens',
  cached: 'cachedTokens',
  'cache-write': 'cacheWriteTokens',
  reasoning: 'reasoningTokens',
  'events-per-write': 'eventsPerWrite',
  'delay-ms': 'delayMs',
  'fault-after': 'faultAfter',
  'retry-after': 'retryAfterSeconds',
}

/** Reads `error500 tokens=40,delay-ms=5` into the directives; words it does not know are passed over. */
export function readDirectives(text: string, into: Directives): void {
  for (const word of text.split(/[\s,]+/)) {
    const [name = '', value] = word.split('=')
    const field = NUMBERS[name]
    if (isFault(name)) into.fault = name
    else if (field !== undefined && value !== undefined && Number.isFinite(Number(value)))
      into[field] = Number(value)
  }
}

function isFault(name: string): name is Fault {
  return (FAULTS as readonly string[]).includes(name)
}

const IN_PROMPT = /\[\[sim ([^\]]*)\]\]/

/**
 * What a call asks for, the later winning: the server's defaults, the random profile, a suffix of the model's
 * name (`any-model:error500,tokens=40`), the header `x-sim`, and `[[sim …]]` anywhere in the body.
 */
export function directivesOf(
  defaults: Directives,
  drawn: Fault | undefined,
  model: string,
  header: string | string[] | undefined,
  rawBody: string,
): Directives {
  const directives = { ...defaults, fault: drawn ?? defaults.fault }
  const suffix = model.indexOf(':')
  if (suffix >= 0) readDirectives(model.slice(suffix + 1), directives)
  if (typeof header === 'string') readDirectives(header, directives)
  const prompt = rawBody.includes('[[sim ') ? IN_PROMPT.exec(rawBody)?.[1] : undefined
  if (prompt !== undefined) readDirectives(prompt, directives)
  return directives
}

/** Probabilities by fault; the rest of the calls meet none. */
export type FaultProfile = Readonly<Partial<Record<Fault, number>>>

/** Draws one fault, or none, for each call. The same seed draws the same sequence. */
export function createFaultDice(profile: FaultProfile, seed: number): () => Fault | undefined {
  const entries = Object.entries(profile) as [Fault, number][]
  for (const [name] of entries) if (!isFault(name)) throw new TypeError(`no fault is called "${name}"`)
  if (entries.length === 0) return () => undefined
  const random = mulberry32(seed)
  return () => {
    let rest = random()
    for (const [name, probability] of entries) {
      if (rest < probability) return name
      rest -= probability
    }
    return undefined
  }
}

/** A small seeded generator of numbers in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
