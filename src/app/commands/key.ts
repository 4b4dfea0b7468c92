/** `tollgate key …` */
import type { KeyView } from '#modules/keys/index.ts'
import { parseId, renderId, type Uuid } from '#spec/ids.ts'
import type { Wired } from '../wire.ts'
import {
  type Command,
  MODE_OPTION,
  shown,
  table,
  UsageError,
  WORKSPACE_OPTION,
  type Words,
  workspaceOf,
} from './command.ts'

const CAP_OPTIONS = {
  'daily-cap': { type: 'string', help: 'credits a UTC day; none removes it' },
  'monthly-cap': { type: 'string', help: 'credits a UTC month; none removes it' },
} as const

export const keyCreate: Command = {
  name: 'key create',
  summary: 'Makes an API key. Its secret is shown once and kept nowhere.',
  example: 'npx tollgate key create --mode live --name backend --daily-cap 50',
  options: {
    mode: MODE_OPTION,
    name: { type: 'string', help: 'what it is for' },
    workspace: WORKSPACE_OPTION,
    ...CAP_OPTIONS,
    models: { type: 'string', help: 'allowed models, separated by commas: ids, or vendor/*' },
    rate: { type: 'string', help: 'calls/seconds, such as 20/10; no limit if left out' },
    expires: { type: 'string', help: 'when it ends, such as 2027-01-31 or 2027-01-31T12:00:00Z' },
  },
  async run(words, wired) {
    const workspace = await workspaceOf(words, wired)
    const { key, secret } = await wired.keys.create({
      workspaceId: workspace.id,
      mode: words.mode(undefined),
      name: words.required('name'),
      caps: capsOf(words, wired),
      allowedModels: words
        .text('models')
        ?.split(',')
        .map(model => canonical(model.trim(), wired)),
      rateLimit: rateOf(words.text('rate')),
      expiresAt: dateOf(words.text('expires')),
    })
    const json = { ...toJson(key, wired), secret }
    return {
      json,
      text: `${secret}\n\nThis is ${json.id} "${key.name}" (${key.mode}). The secret is not shown again.`,
    }
  },
}

export const keyList: Command = {
  name: 'key list',
  summary: 'Lists keys, revoked ones too.',
  example: 'npx tollgate key list --workspace default',
  options: { workspace: { type: 'string', help: 'its name or id; all of them if left out' } },
  async run(words, wired) {
    const of = words.text('workspace') === undefined ? undefined : (await workspaceOf(words, wired)).id
    const keys = await wired.keys.list(of)
    return {
      json: keys.map(key => toJson(key, wired)),
      text: table(
        ['id', 'mode', 'name', 'key', 'daily cap', 'monthly cap', 'state'],
        keys.map(key => [
          renderId('key', key.id),
          key.mode,
          key.name,
          key.display,
          shown(key.caps.dailyNanoUsd, wired),
          shown(key.caps.monthlyNanoUsd, wired),
          stateOf(key),
        ]),
      ),
    }
  },
}

export const keyRevoke: Command = {
  name: 'key revoke',
  summary: 'Ends a key for ever: at once for whatever costs money, within a second for the rest.',
  example: 'npx tollgate key revoke key_0199…',
  operands: '<key id>',
  async run(words, wired) {
    const key = await wired.keys.revoke(await refOf(words, wired))
    if (!key) throw new UsageError('there is no such key')
    return { json: toJson(key, wired), text: `${renderId('key', key.id)} "${key.name}" is revoked.` }
  },
}

export const keyCap: Command = {
  name: 'key cap',
  summary: 'Sets or removes what a key may spend. A cap below what was spent only stops new calls.',
  example: 'npx tollgate key cap key_0199… --daily-cap 100 --monthly-cap none',
  operands: '<key id>',
  options: CAP_OPTIONS,
  async run(words, wired) {
    const key = await wired.keys.setCaps(await refOf(words, wired), capsOf(words, wired))
    if (!key) throw new UsageError('there is no such key')
    const caps = `${shown(key.caps.dailyNanoUsd, wired)} a day, ${shown(key.caps.monthlyNanoUsd, wired)} a month`
    return { json: toJson(key, wired), text: `${renderId('key', key.id)} "${key.name}": ${caps}.` }
  },
}

function capsOf(words: Words, wired: Wired) {
  return { dailyNanoUsd: words.cap('daily-cap', wired), monthlyNanoUsd: words.cap('monthly-cap', wired) }
}

async function refOf(words: Words, wired: Wired): Promise<{ workspaceId: Uuid; id: Uuid }> {
  const text = words.operand(0, 'the id of the key')
  const id = parseId('key', text)
  const key = id && (await wired.keys.find(id))
  if (!key) throw new UsageError(`there is no key "${text}"`)
  return { workspaceId: key.workspaceId, id: key.id }
}

/** An alias is stored as the id it means, so that it goes on meaning it. */
function canonical(model: string, wired: Wired): string {
  if (model.endsWith('/*')) return model
  const found = wired.catalog.find(model, 'test')
  if (found) return found.id
  const near = wired.catalog.nearest(model, 3, 'test')
  throw new UsageError(`there is no model "${model}"${near.length > 0 ? `; close: ${near.join(', ')}` : ''}`)
}

function rateOf(text: string | undefined) {
  if (text === undefined) return undefined
  const [, calls, seconds] = /^(\d{1,9})\/(\d{1,6})$/.exec(text) ?? []
  if (!Number(calls) || !Number(seconds)) throw new UsageError('--rate must be calls/seconds, such as 20/10')
  return { calls: Number(calls), windowMs: Number(seconds) * 1000 }
}

function dateOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const date = new Date(text)
  if (!Number.isNaN(date.getTime())) return date
  throw new UsageError('--expires must be a date such as 2027-01-31')
}

function stateOf(key: KeyView): string {
  if (key.revokedAt) return `revoked ${key.revokedAt.toISOString()}`
  if (key.expiresAt) return `until ${key.expiresAt.toISOString()}`
  return 'active'
}

function toJson(key: KeyView, wired: Wired) {
  const credits = (nanoUsd: bigint | undefined) => (nanoUsd === undefined ? null : shown(nanoUsd, wired))
  return {
    id: renderId('key', key.id),
    workspace: renderId('workspace', key.workspaceId),
    mode: key.mode,
    name: key.name,
    display: key.display,
    daily_cap: credits(key.caps.dailyNanoUsd),
    monthly_cap: credits(key.caps.monthlyNanoUsd),
    allowed_models: key.allowedModels ?? null,
    rate_limit: key.rateLimit ? { calls: key.rateLimit.calls, seconds: key.rateLimit.windowMs / 1000 } : null,
    expires_at: key.expiresAt ?? null,
    revoked_at: key.revokedAt ?? null,
    last_used_at: key.lastUsedAt ?? null,
    created_at: key.createdAt,
  }
}
