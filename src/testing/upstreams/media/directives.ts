/** What one job at a simulated vendor should meet, and how it is asked for. */

export const TASK_FAULTS = [
  // The create call, refused before any work.
  'create-400',
  'create-401',
  'create-402',
  'create-422',
  'create-429',
  'create-500',
  'create-503',
  'create-moderated',
  // The job runs and is billed, and nobody is told its id.
  'create-lost',
  'create-hang',
  'create-html',
  // Looks at the job.
  'poll-429',
  'poll-500',
  'poll-404',
  'poll-reset',
  'poll-hang',
  'poll-html',
  'poll-backwards',
  'poll-unknown-word',
  // How it ends.
  'job-fails',
  'job-moderated',
  'job-refused',
  'never-ends',
  'no-files',
  'half-files',
  'moderated-in-success',
  'result-malformed',
  // Its callback.
  'callback-none',
  'callback-duplicate',
  'callback-out-of-order',
  'callback-forged',
  // Its files.
  'file-404',
  'file-404-once',
  'file-cut',
  'file-slow',
  'file-wrong-type',
  'file-is-html',
] as const

export type TaskFault = (typeof TASK_FAULTS)[number]

export interface TaskDirectives {
  readonly faults: ReadonlySet<TaskFault>
  /** From the create call until the job has ended. */
  readonly doneAfterMs: number
  /** How many looks a fault of looks spoils; the next tells the truth. */
  readonly times: number
  /** Looks at a job that has ended that still say it runs. */
  readonly looks: number
  /** How many times the same create call is refused before it is taken. */
  readonly refusals: number
  /** How many fetches of a job's files a fault of files spoils. */
  readonly fileTimes: number
  /** The one file, from 0, that a fault of files spoils; not a number: every one. */
  readonly fileOnly: number
  readonly retryAfterSeconds: number
}

const NUMBERS: Readonly<Record<string, Exclude<keyof TaskDirectives, 'faults'>>> = {
  'done-after-ms': 'doneAfterMs',
  times: 'times',
  looks: 'looks',
  refusals: 'refusals',
  'file-times': 'fileTimes',
  'file-only': 'fileOnly',
  'retry-after': 'retryAfterSeconds',
}

export const DEFAULT_TASK_DIRECTIVES: TaskDirectives = {
  faults: new Set(),
  doneAfterMs: 50,
  times: 1,
  looks: 0,
  refusals: Number.POSITIVE_INFINITY,
  fileTimes: Number.POSITIVE_INFINITY,
  fileOnly: Number.NaN,
  retryAfterSeconds: 1,
}

/** Reads `job-fails done-after-ms=20`. Throws a TypeError at a word it does not know. */
export function readTaskDirectives(text: string, base: TaskDirectives): TaskDirectives {
  const faults = new Set(base.faults)
  const numbers: Partial<Record<Exclude<keyof TaskDirectives, 'faults'>, number>> = {}
  for (const word of text.split(/[\s,]+/).filter(one => one !== '')) {
    const [name = '', value] = word.split('=')
    const field = NUMBERS[name]
    if (isFault(name)) faults.add(name)
    else if (field !== undefined && Number.isFinite(Number(value))) numbers[field] = Number(value)
    else throw new TypeError(`the simulator knows no "${word}"`)
  }
  return { ...base, ...numbers, faults }
}

function isFault(name: string): name is TaskFault {
  return (TASK_FAULTS as readonly string[]).includes(name)
}

const IN_PROMPT = /\[\[sim ([^\]]*)\]\]/

/**
 * The text between `[[sim` and `]]` anywhere in a body, as far as it is for this vendor; empty where there is none. Words for
 * one vendor alone have its name before them: `fal:create-503`.
 */
export function directiveTextIn(rawBody: string, vendor: string): string {
  const words = (IN_PROMPT.exec(rawBody)?.[1] ?? '').split(/[\s,]+/)
  return words
    .filter(word => !word.includes(':') || word.startsWith(`${vendor}:`))
    .map(word => word.slice(word.indexOf(':') + 1))
    .join(' ')
}
