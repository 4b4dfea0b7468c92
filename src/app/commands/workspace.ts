/** `tollgate workspace …`, `tollgate grant` and `tollgate usage`. */
import { MOST_KEEP_FILES_DAYS, PLANS, type Plan, type Workspace } from '#modules/accounts/index.ts'
import type { Mode } from '#spec/account.ts'
import { renderId } from '#spec/ids.ts'
import { chargedCreditsOf, dollarsFromNanoUsd } from '#spec/money.ts'
import type { Wired } from '../wire.ts'
import {
  type Command,
  limitOf,
  MODE_OPTION,
  shown,
  table,
  UsageError,
  WORKSPACE_OPTION,
  workspaceOf,
} from './command.ts'

export const workspaceCreate: Command = {
  name: 'workspace create',
  summary: 'Makes a workspace: one balance for live keys and one for test keys.',
  example: 'npx tollgate workspace create --name acme',
  options: { name: { type: 'string', help: 'its name' } },
  async run(words, wired) {
    const tier = wired.config.ladder[0].tier
    const workspace = await wired.accounts.createWorkspace({ name: words.required('name'), tier })
    const json = await toJson(workspace, wired)
    return { json, text: `${json.id} "${workspace.name}" is made. Give it credits with "grant".` }
  },
}

export const workspaceList: Command = {
  name: 'workspace list',
  summary: 'Lists workspaces with their balances in credits.',
  example: 'npx tollgate workspace list',
  async run(_words, wired) {
    const workspaces = await wired.accounts.listWorkspaces()
    const json = await Promise.all(workspaces.map(workspace => toJson(workspace, wired)))
    return {
      json,
      text: table(
        ['id', 'name', 'plan', 'tier', 'files kept', 'live', 'test'],
        json.map(row => [
          row.id,
          row.name,
          row.plan,
          row.tier ?? '-',
          row.keep_files_days === null ? 'forever' : `${row.keep_files_days} days`,
          row.live.available,
          row.test.available,
        ]),
      ),
    }
  },
}

export const workspacePlan: Command = {
  name: 'workspace plan',
  summary: 'Sets the plan, which is the request limits of a workspace.',
  example: 'npx tollgate workspace plan enterprise --workspace acme',
  operands: `<${PLANS.join('|')}>`,
  options: { workspace: WORKSPACE_OPTION },
  async run(words, wired) {
    const plan = words.operand(0, 'the plan')
    if (!PLANS.some(known => known === plan)) throw new UsageError(`a plan is one of ${PLANS.join(', ')}`)
    const workspace = await wired.accounts.setPlan((await workspaceOf(words, wired)).id, plan as Plan)
    if (!workspace) throw new UsageError('there is no such workspace')
    return {
      json: await toJson(workspace, wired),
      text: `"${workspace.name}" is on the plan ${workspace.plan}.`,
    }
  },
}

export const workspaceKeepFiles: Command = {
  name: 'workspace keep-files',
  summary: 'Sets how long the files of a workspace are kept. Older ones go within the hour.',
  example: 'npx tollgate workspace keep-files 30 --workspace acme',
  operands: '<days|forever>',
  options: { workspace: WORKSPACE_OPTION },
  async run(words, wired) {
    const days = daysOf(words.operand(0, 'the number of days'))
    const workspace = await wired.accounts.setKeepFilesDays((await workspaceOf(words, wired)).id, days)
    if (!workspace) throw new UsageError('there is no such workspace')
    const kept = days === undefined ? 'for ever' : `for ${days} ${days === 1 ? 'day' : 'days'}`
    return {
      json: await toJson(workspace, wired),
      text: `"${workspace.name}" keeps its files ${kept}.`,
    }
  },
}

function daysOf(text: string): number | undefined {
  if (text === 'forever') return undefined
  const days = Number(/^\d{1,5}$/.exec(text)?.[0])
  if (days >= 1 && days <= MOST_KEEP_FILES_DAYS) return days
  throw new UsageError(`files are kept 1 to ${MOST_KEEP_FILES_DAYS} days, or forever`)
}

export const workspaceCap: Command = {
  name: 'workspace cap',
  summary: 'Sets or removes what a whole workspace may spend.',
  example: 'npx tollgate workspace cap --workspace acme --monthly-cap 10000',
  options: {
    workspace: WORKSPACE_OPTION,
    mode: { type: 'string', help: 'live (default) or test' },
    'daily-cap': { type: 'string', help: 'credits a UTC day; none removes it' },
    'monthly-cap': { type: 'string', help: 'credits a UTC month; none removes it' },
  },
  async run(words, wired) {
    const workspace = await workspaceOf(words, wired)
    const account = { workspaceId: workspace.id, mode: words.mode('live') }
    const dailyNanoUsd = words.cap('daily-cap', wired)
    const monthlyNanoUsd = words.cap('monthly-cap', wired)
    await wired.accounts.setWorkspaceCaps(account, { dailyNanoUsd, monthlyNanoUsd })
    const statuses = await wired.accounts.capStatuses(account, [{ scope: 'workspace', id: workspace.id }])
    const caps = statuses.map(({ period, limitNanoUsd, usedNanoUsd, heldNanoUsd }) => ({
      period,
      limit: limitNanoUsd === undefined ? null : shown(limitNanoUsd, wired),
      used: shown(usedNanoUsd, wired),
      held: shown(heldNanoUsd, wired),
    }))
    return {
      json: { workspace: renderId('workspace', workspace.id), mode: account.mode, caps },
      text: table(
        ['period', 'limit', 'used', 'held'],
        caps.map(cap => [cap.period, cap.limit ?? '-', cap.used, cap.held]),
      ),
    }
  },
}

export const grant: Command = {
  name: 'grant',
  summary: 'Gives credits to a workspace.',
  example: 'npx tollgate grant --credits 1000 --note "invoice 17"',
  options: {
    credits: { type: 'string', help: 'how many' },
    workspace: WORKSPACE_OPTION,
    mode: { type: 'string', help: 'live (default) or test' },
    note: { type: 'string', help: 'why; kept with the entry' },
  },
  async run(words, wired) {
    const workspace = await workspaceOf(words, wired)
    const account = { workspaceId: workspace.id, mode: words.mode('live') }
    const amount = words.credits('credits', wired)
    if (amount === 0n) throw new UsageError('--credits must be more than 0')
    const balance = await wired.ledger.grant(account, wired.ids.next(), amount, words.text('note') ?? '')
    const json = {
      workspace: renderId('workspace', workspace.id),
      mode: account.mode,
      balance: shown(balance, wired),
    }
    return { json, text: `"${workspace.name}" (${account.mode}) has a balance of ${json.balance} credits.` }
  },
}

export const usage: Command = {
  name: 'usage',
  summary: 'Lists the latest calls of a workspace: what served, what it cost, what was charged.',
  example: 'npx tollgate usage --mode test --limit 20',
  options: {
    workspace: WORKSPACE_OPTION,
    mode: MODE_OPTION,
    limit: { type: 'string', help: 'how many; 50 if left out' },
  },
  async run(words, wired) {
    const workspace = await workspaceOf(words, wired)
    const limit = limitOf(words, 50)
    const rows = await wired.ledger.listUsage({ workspaceId: workspace.id, mode: words.mode('live') }, limit)
    const json = rows.map(row => ({
      request: renderId('request', row.requestId),
      at: row.createdAt,
      key: renderId('key', row.keyId),
      model: row.model,
      provider: row.provider ?? null,
      outcome: row.outcome,
      charged: chargedCreditsOf(row.chargeNanoUsd, wired.config.credits),
      cost_usd: dollarsFromNanoUsd(row.costNanoUsd),
      estimated: row.estimated,
      latency_ms: row.latencyMs,
    }))
    return {
      json,
      text: table(
        ['request', 'at', 'model', 'provider', 'outcome', 'credits', 'ms'],
        json.map(row => [
          row.request,
          row.at.toISOString(),
          row.model,
          row.provider ?? '-',
          row.outcome,
          row.charged,
          String(row.latency_ms),
        ]),
      ),
    }
  },
}

async function toJson(workspace: Workspace, wired: Wired) {
  const balance = async (mode: Mode) => {
    const { balanceNanoUsd, heldNanoUsd } = await wired.ledger.balance({ workspaceId: workspace.id, mode })
    return { available: shown(balanceNanoUsd - heldNanoUsd, wired), held: shown(heldNanoUsd, wired) }
  }
  const tier = await wired.accounts.tierOf({ workspaceId: workspace.id, mode: 'live' })
  return {
    id: renderId('workspace', workspace.id),
    name: workspace.name,
    plan: workspace.plan,
    tier: tier?.tier ?? null,
    keep_files_days: workspace.keepFilesDays ?? null,
    live: await balance('live'),
    test: await balance('test'),
    created_at: workspace.createdAt,
  }
}
