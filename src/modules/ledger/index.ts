/** The ledger's door. README.md has its words and invariants, docs/money.md the rules for people. */

import type { Database } from '#platform/postgres/database.ts'
import type { Lane } from '#platform/postgres/lane.ts'
import type { AccountRef, CapSubject } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import type { Clock } from '#spec/ports.ts'
import type { Receipt } from '#spec/receipt.ts'
import type { StatementPart } from '#spec/statement.ts'
import { auditLedger, CHECKS, type Violation } from './audit.pg.ts'
import { toHoldOutcome } from './batch.ts'
import { endFailure, LANE_LIMITS, type LaneLimits, MoneyLane, RETRY_PAUSE_MS } from './lane.ts'
import type { EndOutcome, EndRequest, ExtendRequest, HoldOutcome, HoldRequest } from './operations.ts'
import { endPart, type HoldPart, holdPart } from './parts.ts'
import * as store from './store.pg.ts'

export type {
  EndOutcome,
  EndRequest,
  ExtendRequest,
  HoldOutcome,
  HoldRequest,
  StoredTerms,
  UsageFields,
} from './operations.ts'
export type { Balance } from './store.pg.ts'
export { CHECKS, type Violation }

/** What a settle came to, whatever had happened to the hold meanwhile. */
export interface Settlement {
  readonly chargedNanoUsd: bigint
  readonly availableNanoUsd: bigint | undefined
  /** What the work was worth beyond what could be charged: the operator's loss. */
  readonly lostNanoUsd: bigint
}

export interface Ledger {
  /** Takes a hold against the balance and every window of every subject, or says which refused. Batched. */
  hold(request: HoldRequest): Promise<HoldOutcome>
  /** Raises a hold to a total. Batched. */
  extend(request: ExtendRequest): Promise<HoldOutcome>
  /**
   * Charges what was used, up to the hold, and gives back the rest; durable when it resolves. Where the hold had
   * been released by another hand meanwhile, charges afresh what fits. Batched.
   */
  settle(request: EndRequest, keyId: Uuid, subjects: readonly CapSubject[]): Promise<Settlement>
  /** Gives the hold back and writes the usage row. Batched. */
  release(request: EndRequest): Promise<EndOutcome>
  holdMany(requests: readonly HoldRequest[]): Promise<PromiseSettledResult<HoldOutcome>[]>
  /** Settles many at once; an error per item. */
  endMany(requests: readonly EndRequest[]): Promise<PromiseSettledResult<EndOutcome>[]>
  /** A hold to be carried by the statement that writes what it is for. */
  holdPart(request: HoldRequest): HoldPart
  /** The end of a hold, to be carried by the statement that ends what it was for. */
  endPart(request: EndRequest): StatementPart
  /** What a hold would be answered now. */
  tryHold(request: HoldRequest): Promise<HoldOutcome>
  /** Gives credits, once per id. Returns the balance. */
  grant(account: AccountRef, id: Uuid, amountNanoUsd: bigint, note: string): Promise<bigint>
  balance(account: AccountRef): Promise<store.Balance>
  recordFreeUsage(end: EndRequest, keyId: Uuid): Promise<void>
  /** The same, to be carried by the statement that ends what was free: an INSERT, open for one more condition. */
  freeUsagePart(end: EndRequest, keyId: Uuid): StatementPart
  receipt(account: AccountRef, id: Uuid): Promise<Receipt | undefined>
  listUsage(account: AccountRef, limit: number): Promise<Receipt[]>
  /** Releases inline holds of nodes without a heartbeat for so long, or past their deadline; all of them where `allInline`. */
  releaseOrphans(options: { deadAfterMs: number; allInline?: boolean }): Promise<number>
  audit(workspaceIds?: readonly Uuid[]): Promise<Violation[]>
  /**
   * The same over the workspaces whose money moved since a moment (none: an hour ago), and the moment to go on from. Rejects
   * between two checks where the signal is aborted.
   */
  auditMoved(since: Date | undefined, signal?: AbortSignal): Promise<{ violations: Violation[]; until: Date }>
  /** Partitions ahead, old guard rows away. Hourly. */
  keepHouse(): Promise<void>
  /** Resolves when every hold and end that was asked for is answered. */
  drained(): Promise<void>
  readonly laneDepth: number
}

const ORPHANS_PER_SWEEP = 500

/**
 * `lanes` carry holds and ends, all of one workspace on the same lane, so that they never wait for each other's locks
 * and one writes while another is being committed; `connection` carries everything else.
 */
export function createLedger(
  lanes: readonly Lane[],
  connection: Database,
  clock: Clock,
  limits: LaneLimits = LANE_LIMITS,
): Ledger {
  const database = store.orUnavailable(connection)
  const moneyLanes = lanes.map(lane => new MoneyLane(store.lanePort(lane), clock, limits))
  const laneOf = (account: AccountRef): MoneyLane => {
    const lane = moneyLanes[laneNumber(account.workspaceId, moneyLanes.length)]
    if (!lane) throw new RangeError('a ledger needs a lane')
    return lane
  }
  const lateCharges = new Set<Promise<unknown>>()

  async function settle(
    request: EndRequest,
    keyId: Uuid,
    subjects: readonly CapSubject[],
  ): Promise<Settlement> {
    const ended = await laneOf(request.account).end(request)
    if (ended.outcome === 'settled' || ended.outcome === 'already_settled') {
      const { chargedNanoUsd, availableNanoUsd } = ended
      return {
        chargedNanoUsd,
        availableNanoUsd,
        lostNanoUsd: atLeastZero(request.chargeNanoUsd - chargedNanoUsd),
      }
    }
    const charging = chargeLate(request, keyId, subjects)
    lateCharges.add(charging)
    const late = await charging.finally(() => lateCharges.delete(charging))
    return { ...late, lostNanoUsd: atLeastZero(request.chargeNanoUsd - late.chargedNanoUsd) }
  }

  /** Sent again while the database is away, like every end: its event makes it happen once. */
  async function chargeLate(request: EndRequest, keyId: Uuid, subjects: readonly CapSubject[]) {
    const giveUpAtMs = clock.monotonicMs() + limits.endPatienceMs
    let maybeCommitted = false
    for (;;) {
      try {
        return await store.chargeLate(connection, request, keyId, subjects)
      } catch (error) {
        const kind = store.classify(error)
        if (kind === 'statement') throw error
        maybeCommitted ||= kind === 'commit-unknown'
        if (clock.monotonicMs() >= giveUpAtMs) throw endFailure(maybeCommitted, error)
        await clock.sleep(RETRY_PAUSE_MS)
      }
    }
  }

  async function drained(): Promise<void> {
    await Promise.all(moneyLanes.map(lane => lane.drained()))
    while (lateCharges.size > 0) await Promise.allSettled(lateCharges)
  }

  async function releaseOrphans(options: { deadAfterMs: number; allInline?: boolean }): Promise<number> {
    let total = 0
    for (;;) {
      const released = await store.releaseOrphans(
        database,
        options.deadAfterMs,
        ORPHANS_PER_SWEEP,
        options.allInline ?? false,
      )
      total += released
      if (released < ORPHANS_PER_SWEEP) return total
    }
  }

  return {
    hold: request => laneOf(request.account).hold({ kind: 'hold', request }),
    extend: request => laneOf(request.account).hold({ kind: 'extend', request }),
    settle,
    release: request => laneOf(request.account).end(request),
    holdMany: requests =>
      Promise.allSettled(requests.map(request => laneOf(request.account).hold({ kind: 'hold', request }))),
    endMany: requests => Promise.allSettled(requests.map(request => laneOf(request.account).end(request))),
    holdPart,
    endPart,
    tryHold: async request => toHoldOutcome(await store.tryHold(database, request)),
    grant: (account, id, amount, note) => store.grant(database, account, id, amount, note),
    balance: account => store.readBalance(database, account),
    recordFreeUsage: (end, keyId) => store.recordFreeUsage(database, end, keyId),
    freeUsagePart: store.freeUsagePart,
    receipt: (account, id) => store.readReceipt(database, account, id),
    listUsage: (account, limit) => store.listUsage(database, account, limit),
    releaseOrphans,
    audit: workspaceIds => auditLedger(database, workspaceIds ?? null),
    async auditMoved(since, signal) {
      const { workspaceIds, until } = await store.workspacesThatMoved(database, since)
      if (workspaceIds.length === 0) return { violations: [], until }
      return { violations: await auditLedger(database, workspaceIds, signal), until }
    },
    keepHouse: () => store.keepHouse(database),
    drained,
    get laneDepth() {
      return moneyLanes.reduce((depth, lane) => depth + lane.depth, 0)
    },
  }
}

/** An earlier end of the same hold may have charged more than this one asks. */
function atLeastZero(amountNanoUsd: bigint): bigint {
  return amountNanoUsd > 0n ? amountNanoUsd : 0n
}

/** From the random end of the id, so that workspaces made one after another spread. */
function laneNumber(workspaceId: Uuid, lanes: number): number {
  return Number.parseInt(workspaceId.slice(-6), 16) % lanes
}
