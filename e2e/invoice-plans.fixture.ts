/** Calls drawn at random for the comparison with the invoice: what each asks for, what it meets, and what must come of it. */
import type { Wish } from './client.fixture.ts'

/** Ends the call, whatever was asked for. */
const REFUSING = [
  ...[
    'error400',
    'error401',
    'error402',
    'error404',
    'error500',
    'error502',
    'error503',
    'rate429',
    'quota429',
  ],
  ...['context-length', 'content-policy', 'hang', 'reset', 'html', 'error-200', 'not-json'],
]
/** Ends a stream; a whole answer knows nothing of it. */
const BREAKING = ['hang-mid', 'cut', 'eof', 'malformed', 'error-event', 'error-first', 'finish-error']
/** Odd and sound: charged as reported. */
const HARMLESS = ['drip', 'split-utf8', 'crlf', 'comments', 'no-done', 'usage-with-last']
const WITHOUT_USAGE = ['no-usage', 'usage-negative', 'usage-text']

export type Kind = 'plain' | 'stream' | 'embed' | 'fallback'

export interface Plan {
  readonly kind: Kind
  readonly fault: string | undefined
  readonly leaves: boolean
  readonly wish: Wish
}

/** How often a call meets what; the others meet nothing. */
const SHARES: readonly (readonly [number, readonly string[]])[] = [
  [0.14, REFUSING],
  [0.1, BREAKING],
  [0.1, HARMLESS],
  [0.06, WITHOUT_USAGE],
  [0.04, ['usage-x1000']],
]
const KINDS: readonly Kind[] = [
  ...(['plain', 'plain', 'plain', 'stream', 'stream', 'stream', 'stream'] as const),
  ...(['embed', 'fallback'] as const),
]

export function planOf(number: number, dice: () => number): Plan {
  const below = (bound: number) => Math.floor(dice() * bound)
  const kind = KINDS[below(KINDS.length)] ?? 'plain'
  const drawn = drawFault(dice)
  const leaves = drawn === undefined && kind === 'stream' && dice() < 0.2
  const neverBegins = leaves && dice() < 0.3
  const fault = neverBegins ? 'hang' : drawn
  const breaks = fault !== undefined && BREAKING.includes(fault)
  const tokens = leaves ? 400 : breaks ? 60 : 1 + below(120)
  const directives = [
    fault ?? '',
    `tokens=${tokens},fault-after=${1 + below(40)}`,
    dice() < 0.3 ? `cached=${below(20)}` : '',
    dice() < 0.2 ? `cache-write=${below(20)}` : '',
    leaves || breaks ? 'delay-ms=5' : `events-per-write=${1 + below(8)}`,
  ]
  const prompt = `n=${number};${'x'.repeat(below(300))} [[sim ${directives.join(' ')}]]`
  const limit = breaks || dice() < 0.3 ? undefined : Math.max(1, Math.floor(tokens * (0.5 + dice())))
  const wish = kind === 'embed' ? embedWish(prompt) : chatWish(kind, prompt, limit, dice)
  const leave = neverBegins ? { leaveAfterMs: 400 } : leaves ? { leaveAfterBytes: 3_000 } : {}
  return { kind, fault, leaves, wish: { ...wish, ...leave } }
}

function drawFault(dice: () => number): string | undefined {
  let rest = dice()
  for (const [share, faults] of SHARES) {
    if (rest < share) return faults[Math.floor(dice() * faults.length)]
    rest -= share
  }
  return undefined
}

function embedWish(prompt: string): Wish {
  return { path: '/v1/embeddings', body: { model: 'e2e-embed', input: [prompt, 'and another'] } }
}

/** The limit is at times below what the vendor would say, so that it stops there. */
function chatWish(kind: Kind, prompt: string, limit: number | undefined, dice: () => number): Wish {
  const stream = kind === 'stream' || (kind === 'fallback' && dice() < 0.5)
  const usage = stream && dice() < 0.5 ? { stream_options: { include_usage: true } } : {}
  const model = kind === 'fallback' ? 'e2e-fallback' : 'e2e-chat'
  const messages = [{ role: 'user', content: prompt }]
  return { body: { model, stream, ...(limit !== undefined && { max_tokens: limit }), ...usage, messages } }
}

/** What must come of a call, from what was asked for alone. */
export type Fate = 'exact' | 'estimated' | 'beyond its hold' | 'left' | 'never begun' | 'failed'

export function fateOf({ kind, fault, leaves, wish }: Plan): Fate {
  if (leaves) return fault === undefined ? 'left' : 'never begun'
  if (fault === undefined) return 'exact'
  if (REFUSING.includes(fault)) return 'failed'
  if (BREAKING.includes(fault)) return wish.body.stream === true ? 'failed' : 'exact'
  if (WITHOUT_USAGE.includes(fault)) return kind === 'embed' && fault !== 'no-usage' ? 'exact' : 'estimated'
  return fault === 'usage-x1000' && kind !== 'embed' ? 'beyond its hold' : 'exact'
}
