/**
 * Who may be sent to next, as far as one node knows: so many tries at one place at once, one where the last try failed,
 * none while the place asked for a pause; and no more than half of this node for one workspace, or for places that fail.
 */
import type { Uuid } from '#spec/ids.ts'

/** Tries at one place at once. */
export const PER_LANE = 4
const PER_FAILING_LANE = 1
/** Failing places that are remembered; the longest silent are forgotten first, and are then like new ones. */
const MAX_IDLE_LANES = 1_000
/** A place that asks for longer is asked again after this; the one delivery that it said it of waits as it was told. */
const MAX_PAUSE_MS = 5 * 60_000

/** What a claim may take: so many in all, and of each lane and workspace so many; those not named have all of theirs. */
export interface Rooms {
  readonly limit: number
  readonly perLane: number
  readonly lanes: Readonly<Record<string, number>>
  readonly perWorkspace: number
  readonly workspaces: Readonly<Record<string, number>>
}

export interface Seat {
  readonly lane: string
  readonly workspaceId: Uuid
}

interface Lane {
  busy: number
  isFailing: boolean
  pausedUntilMs: number
}

export class LaneBook {
  readonly #concurrency: number
  readonly #half: number
  readonly #monotonicMs: () => number
  readonly #lanes = new Map<string, Lane>()
  readonly #workspaces = new Map<Uuid, number>()
  #busy = 0

  constructor(concurrency: number, monotonicMs: () => number) {
    this.#concurrency = concurrency
    this.#half = Math.max(1, Math.floor(concurrency / 2))
    this.#monotonicMs = monotonicMs
  }

  /** Whether a place is known to fail: then a second claim asks for those, after the others had their turn. */
  get hasFailing(): boolean {
    return [...this.#lanes.values()].some(lane => lane.isFailing)
  }

  take({ lane, workspaceId }: Seat): void {
    const found = this.#lanes.get(lane) ?? { busy: 0, isFailing: false, pausedUntilMs: 0 }
    found.busy += 1
    this.#busy += 1
    this.#lanes.delete(lane)
    this.#lanes.set(lane, found)
    this.#workspaces.set(workspaceId, (this.#workspaces.get(workspaceId) ?? 0) + 1)
  }

  /** `failed` is `undefined` where the try did not end and nothing was learned. */
  leave({ lane, workspaceId }: Seat, failed: boolean | undefined, pauseMs: number): void {
    this.#busy -= 1
    const left = (this.#workspaces.get(workspaceId) ?? 1) - 1
    if (left === 0) this.#workspaces.delete(workspaceId)
    else this.#workspaces.set(workspaceId, left)
    const found = this.#lanes.get(lane)
    if (!found) return
    found.busy -= 1
    found.isFailing = failed ?? found.isFailing
    if (pauseMs > 0) found.pausedUntilMs = this.#monotonicMs() + Math.min(pauseMs, MAX_PAUSE_MS)
    this.#forget()
  }

  rooms(which: 'answering' | 'any'): Rooms {
    const free = this.#concurrency - this.#busy
    const lanes: Record<string, number> = {}
    let failing = 0
    for (const [name, lane] of this.#lanes) {
      if (lane.isFailing) failing += lane.busy
      lanes[name] = this.#roomOf(lane, which)
    }
    const workspaces: Record<string, number> = {}
    for (const [id, busy] of this.#workspaces) workspaces[id] = Math.max(0, this.#half - busy)
    const limit = which === 'any' ? Math.min(free, this.#half - failing) : free
    return { limit: Math.max(0, limit), perLane: PER_LANE, lanes, perWorkspace: this.#half, workspaces }
  }

  #roomOf(lane: Lane, which: 'answering' | 'any'): number {
    if (lane.pausedUntilMs > this.#monotonicMs()) return 0
    if (lane.isFailing && which === 'answering') return 0
    return Math.max(0, (lane.isFailing ? PER_FAILING_LANE : PER_LANE) - lane.busy)
  }

  #forget(): void {
    const now = this.#monotonicMs()
    for (const [name, lane] of this.#lanes) {
      if (lane.busy > 0) continue
      const isNews = lane.isFailing || lane.pausedUntilMs > now
      if (!isNews || this.#lanes.size > MAX_IDLE_LANES) this.#lanes.delete(name)
    }
  }
}
