/** Every fault a simulated vendor of media knows, and what has to come of it: reliability's "who pays when", as data. */
import { VENDORS, type VendorId } from './media-vendors.fixture.ts'

export interface Fate {
  readonly state: 'succeeded' | 'failed' | 'cancelled' | 'expired'
  /** The code of a task that did not succeed. */
  readonly code?: string
  /** Files the client gets and pays. */
  readonly files: number
  /** Create calls at each vendor that is asked at all. */
  readonly creates: Partial<Record<VendorId, number>>
  /** Files that a vendor bills and nobody gets: the operator's. */
  readonly lost?: Partial<Record<VendorId, number>>
  /** Who delivers. */
  readonly by?: VendorId
}

export interface FaultPlan {
  readonly name: string
  readonly model: string
  /** Words for the simulators, put into the prompt. */
  readonly words: string
  readonly count: number
  readonly fate: Fate
}

/** What happens to a call for one file at one vendor, whichever it is. */
interface Rule {
  readonly words: string
  readonly on?: readonly VendorId[]
  readonly state?: Fate['state']
  readonly code?: string
  readonly files?: number
  readonly creates?: number
  readonly lost?: number
  /** At the model whose deadline passes within the test. */
  readonly brief?: true
}

const failed = (code: string, creates = 1) => ({ state: 'failed', code, files: 0, creates }) as const
const expired = { state: 'expired', code: 'deadline_exceeded', files: 0, brief: true } as const

const RULES: readonly Rule[] = [
  { words: '' },
  { words: 'looks=3' },
  // Refused for a while: known not to have run, so sent again.
  { words: 'create-429 refusals=1', creates: 2 },
  { words: 'create-429 refusals=2', creates: 3 },
  { words: 'create-503 refusals=2', creates: 3 },
  // Refused for good.
  { words: 'create-429', ...failed('upstream_unavailable', 3) },
  { words: 'create-503', ...failed('upstream_unavailable', 3) },
  { words: 'create-401', ...failed('upstream_unavailable') },
  { words: 'create-402', ...failed('upstream_unavailable') },
  { words: 'create-400', ...failed('invalid_request') },
  { words: 'create-422', ...failed('invalid_request') },
  { words: 'create-moderated', ...failed('content_rejected') },
  { words: 'create-500', ...failed('upstream_error') },
  // Taken, billed, and nobody was told its id: not even by a callback, or by one that came while the answer was awaited.
  { words: 'create-lost callback-none', ...expired, lost: 1 },
  { words: 'create-html callback-none', ...expired, lost: 1 },
  { words: 'create-hang', ...expired, lost: 1 },
  // The callback tells which job it was.
  { words: 'create-lost done-after-ms=4000' },
  { words: 'create-html done-after-ms=4000' },
  { words: 'create-hang done-after-ms=8000' },
  { words: 'create-lost done-after-ms=4000 job-fails', ...failed('upstream_error') },
  // A look that tells nothing is no verdict.
  ...['poll-429', 'poll-500', 'poll-404', 'poll-reset', 'poll-hang', 'poll-html'].map(word => ({
    words: `${word} times=2`,
  })),
  { words: 'poll-backwards looks=3' },
  { words: 'poll-unknown-word times=2' },
  // How it ends.
  { words: 'job-fails', ...failed('upstream_error') },
  { words: 'job-moderated', ...failed('content_rejected') },
  { words: 'job-refused', ...failed('invalid_request') },
  { words: 'no-files', ...failed('upstream_error') },
  { words: 'moderated-in-success', on: ['fal'], ...failed('content_rejected'), lost: 1 },
  { words: 'result-malformed times=2', on: ['fal', 'kie'] },
  { words: 'never-ends', ...expired },
  // Where it can be cancelled, nothing comes of it; else it is made for nobody.
  { words: 'done-after-ms=20000', on: ['fal', 'replicate'], ...expired },
  { words: 'done-after-ms=20000', on: ['kie'], ...expired, lost: 1 },
  // Its callback.
  { words: 'callback-none' },
  { words: 'callback-duplicate' },
  { words: 'callback-out-of-order' },
  { words: 'callback-forged looks=2' },
  // Its file is gone or broken, and comes back.
  { words: 'file-404-once' },
  { words: 'file-404 file-times=2' },
  { words: 'file-cut file-times=2' },
  { words: 'file-is-html file-times=2' },
  { words: 'file-slow' },
  { words: 'file-wrong-type' },
  // A copy that comes after the deadline is one all the same.
  { words: 'file-404 file-times=4', brief: true },
]

function planOf(
  { words, state = 'succeeded', files = 1, creates = 1, brief, ...rule }: Rule,
  vendor: VendorId,
) {
  return {
    name: `${vendor} · ${words === '' ? 'no fault' : words}`,
    model: `e2e-${vendor}${brief ? '-brief' : ''}`,
    words,
    count: 1,
    fate: {
      state,
      files,
      creates: { [vendor]: creates },
      ...(rule.code !== undefined && { code: rule.code }),
      ...(rule.lost !== undefined && { lost: { [vendor]: rule.lost } }),
      ...(files > 0 && { by: vendor }),
    },
  } satisfies FaultPlan
}

const ALONE: readonly FaultPlan[] = RULES.flatMap(rule =>
  (rule.on ?? VENDORS).map(vendor => planOf(rule, vendor)),
)

const MANY: readonly FaultPlan[] = [
  ['fal', 'e2e-fal', 1],
  ['replicate', 'e2e-replicate', 1],
  // One call for four at one family, four calls for one each at another.
  ['kie', 'e2e-4o', 1],
  ['kie', 'e2e-kie', 4],
].flatMap(([vendor, model, creates]) => {
  const by = vendor as VendorId
  const base = { model: String(model), count: 4 }
  const whole = { state: 'succeeded', by, creates: { [by]: Number(creates) } } as const
  const all = { ...base, name: `${model} · all of four`, words: '', fate: { ...whole, files: 4 } }
  if (model === 'e2e-kie') return [all]
  const late = 'file-404 file-only=1 file-times=2'
  return [
    all,
    { ...base, name: `${model} · half of four`, words: 'half-files', fate: { ...whole, files: 2 } },
    { ...base, name: `${model} · the second late`, words: late, fate: { ...whole, files: 4 } },
  ]
})

/**
 * Several vendors sell the model: fal first, then Replicate, then kie.ai. To be run where no other plan has told the gateway
 * that one of them is away.
 */
export const CHAINS: readonly FaultPlan[] = (
  [
    // Who is not there is left at once; a short pause is waited for once.
    ['fal:create-503', { creates: { fal: 1, replicate: 1 }, by: 'replicate' }],
    ['fal:create-429', { creates: { fal: 2, replicate: 1 }, by: 'replicate', model: 'e2e-chain-busy' }],
    ['fal:create-401', { creates: { fal: 1, replicate: 1 }, by: 'replicate' }],
    [
      'fal:create-402 replicate:create-503 replicate:done-after-ms=100',
      { creates: { fal: 1, replicate: 1, kie: 1 }, by: 'kie' },
    ],
    ['fal:job-fails', { creates: { fal: 1, replicate: 1 }, by: 'replicate' }],
    ['fal:job-fails replicate:job-fails', { creates: { fal: 1, replicate: 1, kie: 1 }, by: 'kie' }],
    [
      'replicate:create-503 fal:create-503 kie:create-503 kie:refusals=2',
      { creates: { fal: 1, replicate: 1, kie: 3 }, by: 'kie' },
    ],
    ['create-503', { creates: { fal: 1, replicate: 1, kie: 3 }, code: 'upstream_unavailable' }],
    // An answer that was lost, or a verdict on the request: nobody else is asked.
    ['fal:create-500', { creates: { fal: 1 }, code: 'upstream_error' }],
    ['fal:create-422', { creates: { fal: 1 }, code: 'invalid_request' }],
    ['fal:create-moderated', { creates: { fal: 1 }, code: 'content_rejected' }],
    ['fal:job-moderated', { creates: { fal: 1 }, code: 'content_rejected' }],
    ['fal:moderated-in-success', { creates: { fal: 1 }, code: 'content_rejected', lost: { fal: 1 } }],
    ['fal:create-lost fal:callback-none', { creates: { fal: 1 }, state: 'expired', lost: { fal: 1 } }],
    ['fal:create-hang', { creates: { fal: 1 }, state: 'expired', lost: { fal: 1 } }],
    ['fal:create-html fal:callback-none', { creates: { fal: 1 }, state: 'expired', lost: { fal: 1 } }],
    // Until its callback says what became of it.
    ['fal:create-lost fal:done-after-ms=4000', { creates: { fal: 1 }, by: 'fal' }],
    [
      'fal:create-lost fal:done-after-ms=4000 fal:job-fails',
      { creates: { fal: 1, replicate: 1 }, by: 'replicate' },
    ],
    [
      'fal:create-401 replicate:create-lost replicate:callback-none',
      { creates: { fal: 1, replicate: 1 }, state: 'expired', lost: { replicate: 1 } },
    ],
  ] as const
).map(([words, fate]) => {
  const by = 'by' in fate ? fate.by : undefined
  const isLost = 'state' in fate
  const state = by !== undefined ? 'succeeded' : isLost ? 'expired' : 'failed'
  const code = 'code' in fate ? fate.code : isLost ? 'deadline_exceeded' : undefined
  return {
    name: `chain · ${words}`,
    model: 'model' in fate ? fate.model : isLost ? 'e2e-chain-brief' : 'e2e-chain',
    words,
    count: 1,
    fate: {
      state,
      files: by === undefined ? 0 : 1,
      creates: fate.creates,
      ...(code !== undefined && { code }),
      ...(by !== undefined && { by }),
      ...('lost' in fate && { lost: fate.lost }),
    },
  }
})

export const PLANS: readonly FaultPlan[] = [...ALONE, ...MANY]

/** Where the copy of a file is given up at once: made, billed, and lost, in whole or in part. */
export const LOSSES: readonly FaultPlan[] = [
  ...['file-404', 'file-cut', 'file-is-html'].flatMap(words =>
    VENDORS.map(vendor => planOf({ words, ...failed('artifact_lost'), lost: 1 }, vendor)),
  ),
  ...(VENDORS.map(vendor => ({
    name: `${vendor} · one of four lost`,
    model: vendor === 'kie' ? 'e2e-4o' : `e2e-${vendor}`,
    words: 'file-404 file-only=2',
    count: 4,
    fate: { state: 'succeeded', files: 3, creates: { [vendor]: 1 }, lost: { [vendor]: 1 }, by: vendor },
  })) satisfies FaultPlan[]),
]

/** Faults that all pass: of these any mixture still succeeds, or fails as its end says. */
const PASSING: readonly (readonly string[])[] = [
  ['', '', 'create-429 refusals=1', 'create-503 refusals=1'],
  ['', 'poll-500', 'poll-404', 'poll-reset', 'poll-429', 'poll-html', 'poll-backwards', 'poll-unknown-word'],
  ['callback-none', 'callback-duplicate', 'callback-forged', 'callback-out-of-order'],
  ['', 'file-404-once', 'file-cut file-times=1', 'file-slow', 'file-wrong-type'],
  ['done-after-ms=20', 'done-after-ms=400', 'looks=2'],
]
const ENDS: readonly Rule[] = [
  { words: '' },
  { words: '' },
  { words: 'job-fails', ...failed('upstream_error') },
  { words: 'job-moderated', ...failed('content_rejected') },
]

/** A mixture of faults; `dice` gives numbers in [0, 1). */
export function mixedPlan(dice: () => number): FaultPlan {
  const one = <Thing>(things: readonly Thing[]) => things[Math.floor(dice() * things.length)] as Thing
  const vendor = one(VENDORS)
  const end = one(ENDS)
  const mixed = PASSING.map(words => one(words))
  const creates = mixed[0] === '' ? 1 : 2
  const words = [...mixed, end.words].filter(word => word !== '').join(' ')
  return planOf({ ...end, words, creates }, vendor)
}
