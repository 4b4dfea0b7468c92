/** A job at a simulated vendor: what it was asked, where it is, and what it will come to. */
import type { TaskDirectives, TaskFault } from './directives.ts'
import type { FileKind } from './files.ts'

/** A create call as far as every vendor's is alike. */
export interface AskedJob {
  readonly model: string
  /** Which of the vendor's formats it is in; the vendor's own word. */
  readonly family: string
  readonly kind: FileKind
  readonly files: number
  readonly seconds: number
  readonly callbackUrl: string | undefined
  readonly body: Readonly<Record<string, unknown>>
}

export type JobState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'
/** What a look may be told: a state, or a word nobody has heard of. */
export type ToldState = JobState | 'unknown-word'

export class Job {
  readonly id: string
  readonly asked: AskedJob
  readonly directives: TaskDirectives
  readonly createdAtMs: number
  endedAtMs: number | undefined
  state: JobState = 'queued'
  looks = 0
  /** Of the files that a fault is meant for. */
  fileFetches = 0
  /** Looks that were told of its success. */
  successesTold = 0

  constructor(id: string, asked: AskedJob, directives: TaskDirectives) {
    this.id = id
    this.asked = asked
    this.directives = directives
    this.createdAtMs = Date.now()
  }

  meets(fault: TaskFault): boolean {
    return this.directives.faults.has(fault)
  }

  get hasEnded(): boolean {
    return this.state === 'succeeded' || this.state === 'failed' || this.state === 'cancelled'
  }

  /** What it comes to unless it is cancelled. */
  get destiny(): 'succeeded' | 'failed' {
    const fails = this.meets('job-fails') || this.meets('job-moderated') || this.meets('job-refused')
    return fails ? 'failed' : 'succeeded'
  }

  /** Why it failed. */
  get failure(): 'vendor' | 'moderation' | 'client' {
    if (this.meets('job-moderated')) return 'moderation'
    return this.meets('job-refused') ? 'client' : 'vendor'
  }

  /** Files that came out. */
  get delivered(): number {
    if (this.state !== 'succeeded' || this.meets('no-files')) return 0
    return this.meets('half-files') ? Math.ceil(this.asked.files / 2) : this.asked.files
  }

  /** What the look with this number, from 1, is told. */
  toldAt(look: number): ToldState {
    if (look <= this.directives.times && this.meets('poll-unknown-word')) return 'unknown-word'
    if (this.meets('poll-backwards') && look <= 3) return look === 2 ? 'queued' : 'running'
    if (look <= this.directives.looks) return look === 1 ? 'queued' : 'running'
    if (!this.hasEnded && look > 1) return 'running'
    return this.state
  }

  /** From 0 to 1; runs backwards where that was asked for. */
  progressAt(look: number): number {
    if (this.hasEnded && look > this.directives.looks) return 1
    return this.meets('poll-backwards') && look === 2 ? 0.2 : Math.min(0.9, 0.3 * look)
  }
}
