/** The commands of the property test: each does one thing to the real ledger and to the reference, and compares. */
import type fc from 'fast-check'
import { expect } from 'vitest'
import type { CapScope } from '#spec/account.ts'
import type { Caps } from './ledger.fixture.ts'
import {
  at,
  doModel,
  doReal,
  type Intent,
  nameOf,
  type Operation,
  resolve,
  stateOf,
  stateOfModel,
  todayOf,
  type World,
} from './ledger-world.fixture.ts'
import type { ReferenceLedger } from './reference-ledger.fixture.ts'

abstract class Command implements fc.AsyncCommand<ReferenceLedger, World> {
  check(): boolean {
    return true
  }

  abstract change(model: ReferenceLedger, world: World, today: string): Promise<void>

  async run(model: ReferenceLedger, world: World): Promise<void> {
    await this.change(model, world, await todayOf(world))
    expect(await stateOf(world)).toEqual(stateOfModel(model))
    expect(await at(world.nodes, 0).ledger.audit(world.workspaceIds)).toEqual([])
  }

  toString(): string {
    const fields = JSON.stringify(this, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
    return `${this.constructor.name} ${fields}`
  }
}

/** One operation through one node. */
export class Alone extends Command {
  readonly intent: Intent
  readonly node: number

  constructor(intent: Intent, node: number) {
    super()
    this.intent = intent
    this.node = node
  }

  async change(model: ReferenceLedger, world: World, today: string): Promise<void> {
    const operation = resolve(this.intent, model, world)
    const real = await doReal(world, model, at(world.nodes, this.node), operation, today)
    expect(real).toEqual(doModel(world, model, operation, today))
  }
}

/** Operations asked at once of one node: the first travels alone, the others in one batch, ends before holds. */
export class Together extends Command {
  readonly intents: readonly Intent[]
  readonly node: number

  constructor(intents: readonly Intent[], node: number) {
    super()
    this.intents = intents
    this.node = node
  }

  async change(model: ReferenceLedger, world: World, today: string): Promise<void> {
    const all = this.intents.map(intent => resolve(intent, model, world))
    const operations = all.filter(operation => !mayBeLate(operation, all, model, world))
    const node = at(world.nodes, this.node)
    const real = await Promise.all(operations.map(each => doReal(world, model, node, each, today)))
    const isEnd = (index: number) => ['settle', 'release'].includes(at(operations, index).kind)
    const order = operations.map((_, index) => index)
    const rest = order.slice(1)
    const inOrder = [...order.slice(0, 1), ...rest.filter(isEnd), ...rest.filter(index => !isEnd(index))]
    for (const index of inOrder) {
      expect(real[index]).toEqual(doModel(world, model, at(operations, index), today))
    }
  }
}

/** A late charge is a statement of its own, which the batch it came from does not wait for. */
function mayBeLate(operation: Operation, all: Operation[], model: ReferenceLedger, world: World): boolean {
  if (operation.kind !== 'settle') return false
  const id = at(world.calls, operation.slot)
  const isThere = model.holds.has(id) || model.ends.get(id)?.as === 'settled'
  return !isThere || all.some(each => each.kind === 'release' && each.slot === operation.slot)
}

export class Grant extends Command {
  readonly payer: number
  readonly grant: number
  readonly amount: bigint

  constructor(payer: number, grant: number, amount: bigint) {
    super()
    this.payer = payer
    this.grant = grant
    this.amount = amount
  }

  async change(model: ReferenceLedger, world: World): Promise<void> {
    const payer = at(world.payers, this.payer)
    const id = at(world.grants, this.grant)
    const account = model.accounts.get(nameOf(payer))
    if (!account) throw new Error('no such account')
    // An id is a workspace's, so that the same id in the other mode is the same grant.
    const event = `${payer.account.workspaceId} ${id}`
    if (!model.grants.has(event)) account.balance += this.amount
    model.grants.add(event)
    const balance = await at(world.nodes, 0).ledger.grant(payer.account, id, this.amount, 'a gift')
    expect(balance).toBe(account.balance)
  }
}

export class SetCaps extends Command {
  readonly payer: number
  readonly scope: CapScope
  readonly caps: Caps

  constructor(payer: number, scope: 'key' | 'workspace', caps: Caps) {
    super()
    this.payer = payer
    this.scope = scope
    this.caps = caps
  }

  async change(model: ReferenceLedger, world: World): Promise<void> {
    const payer = at(world.payers, this.payer)
    const id = this.scope === 'key' ? payer.keyId : payer.account.workspaceId
    model.caps.set(`${nameOf(payer)} ${this.scope} ${id}`, this.caps)
    await world.fixture.setCaps(payer.account, this.scope, id, this.caps)
  }
}

export class SetKey extends Command {
  readonly payer: number
  readonly state: 'good' | 'key_revoked' | 'key_expired'

  constructor(payer: number, state: 'good' | 'key_revoked' | 'key_expired') {
    super()
    this.payer = payer
    this.state = state
  }

  async change(model: ReferenceLedger, world: World): Promise<void> {
    const { keyId } = at(world.payers, this.payer)
    model.keys.set(keyId, this.state)
    await world.fixture.sql(
      `update api_key set revoked_at = case $2 when 'key_revoked' then now() end,
        expires_at = now() + case $2 when 'key_expired' then interval '0' else interval '1 hour' end
      where id = $1`,
      [keyId, this.state],
    )
  }
}

/** A node dies, another sweeps, and it comes back to settle what it still thinks is its own. */
export class SweepNode extends Command {
  readonly owner: number

  constructor(owner: number) {
    super()
    this.owner = owner
  }

  async change(model: ReferenceLedger, world: World): Promise<void> {
    const owner = at(world.owners, this.owner)
    await world.fixture.killNode(owner)
    await expectSwept(
      model,
      world,
      [...model.holds].filter(([, hold]) => hold.owner === owner).map(([id]) => id),
    )
    await world.fixture.sql(`update node set heartbeat_at = now() + interval '1 day' where id = $1`, [owner])
  }
}

/** The deadline of one call passes. */
export class SweepOverdue extends Command {
  readonly slot: number

  constructor(slot: number) {
    super()
    this.slot = slot
  }

  async change(model: ReferenceLedger, world: World): Promise<void> {
    const id = at(world.calls, this.slot)
    await world.fixture.sql(`update hold set deadline = now() - interval '1 second' where id = $1`, [id])
    await expectSwept(model, world, model.holds.has(id) ? [id] : [])
  }
}

async function expectSwept(model: ReferenceLedger, world: World, orphans: readonly string[]): Promise<void> {
  for (const id of orphans) model.end(id, 'released', 0n)
  const released = await at(world.nodes, 1).ledger.releaseOrphans({ deadAfterMs: 20_000 })
  expect(released).toBe(orphans.length)
}

/** Days pass, so that open holds count in the windows of another day or month than a new one would. */
export class DaysPass extends Command {
  readonly days: number

  constructor(days: number) {
    super()
    this.days = days
  }

  async change(model: ReferenceLedger, world: World): Promise<void> {
    model.age(this.days)
    await world.fixture.ageWindows(world.workspaceIds, this.days)
  }
}
