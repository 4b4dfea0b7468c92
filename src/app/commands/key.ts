/** `tollgate key …` */
import type { KeyChange, KeyView } from '#modules/keys/index.ts'
import { parseId, renderId, type Uuid } from '#spec/ids.ts'
import { DIALECTS } from '../registry.ts'
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

const DIALECT_IDS = DIALECTS.map(({ id }) => id)

const TERM_OPTIONS = {
  models: { type: 'string', help: 'allowed models, separated by commas: ids, or vendor/*; none: all' },
  rate: { type: 'string', help: 'chats and embeddings, as calls/seconds such as 20/10; none: no limit' },
  expires: { type: 'string', help: 'when it ends, such as 2027-01-31 or 2027-01-31T12:00:00Z; none: never' },
  dialect: {
    type: 'string',
    help: `whose requests it makes on paths that several claim: ${DIALECT_IDS.join(', ')}; none: each request tells`,
  },
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
    ...TERM_OPTIONS,
  },
  async run(words, wired) {
    const workspace = await workspaceOf(words, wired)
    const { allowedModels, rateLimit, expiresAt, defaultDialect } = termsOf(words, wired)
    const { key, secret } = await wired.keys.create({
      workspaceId: workspace.id,
      mode: words.mode(undefined),
      name: words.required('name'),
      caps: capsOf(words, wired),
      allowedModels: allowedModels ?? undefined,
      rateLimit: rateLimit ?? undefined,
      expiresAt: expiresAt ?? undefined,
      defaultDialect: defaultDialect ?? undefined,
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

export const keyChange: Command = {
  name: 'key change',
  summary: 'Renames a key, or changes what it may name, how often, how long and in which dialect.',
  example: 'npx tollgate key change key_0199… --name backend --rate 20/10 --expires none',
  operands: '<key id>',
  options: { name: { type: 'string', help: 'what it is for' }, ...TERM_OPTIONS },
  async run(words, wired) {
    const change: KeyChange = { name: words.text('name'), ...termsOf(words, wired) }
    if (Object.values(change).every(value => value === undefined)) {
      throw new UsageError('say what to change: --name, --models, --rate, --expires or --dialect')
    }
    const key = await wired.keys.change(await refOf(words, wired), change)
    if (!key) throw new UsageError('there is no such key')
    return { json: toJson(key, wired), text: `${renderId('key', key.id)} "${key.name}" is changed.` }
  },
}

/** What the options say of a key's terms: `null` for none, `undefined` where an option is left out. */
function termsOf(words: Words, wired: Wired): Omit<KeyChange, 'name'> {
  return {
    allowedModels: termOf(words, 'models', text =>
      text.split(',').map(model => canonical(model.trim(), wired)),
    ),
    rateLimit: termOf(words, 'rate', rateOf),
    expiresAt: termOf(words, 'expires', dateOf),
    defaultDialect: termOf(words, 'dialect', dialectOf),
  }
}

function termOf<T>(words: Words, name: string, read: (text: string) => T): T | null | undefined {
  const text = words.text(name)
  if (text === undefined) return undefined
  return text === 'none' ? null : read(text)
}

function dialectOf(text: string): string {
  if (DIALECT_IDS.includes(text)) return text
  throw new UsageError(`--dialect must be one of ${DIALECT_IDS.join(', ')}, or none`)
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

function rateOf(text: string) {
  const [, calls, seconds] = /^(\d{1,9})\/(\d{1,6})$/.exec(text) ?? []
  if (!Number(calls) || !Number(seconds)) throw new UsageError('--rate must be calls/seconds, such as 20/10')
  return { calls: Number(calls), windowMs: Number(seconds) * 1000 }
}

function dateOf(text: string): Date {
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
    dialect: key.defaultDialect ?? null,
    expires_at: key.expiresAt ?? null,
    revoked_at: key.revokedAt ?? null,
    last_used_at: key.lastUsedAt ?? null,
    created_at: key.createdAt,
  }
}
