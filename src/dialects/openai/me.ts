/** `GET /me`: whose key this is, what it can spend, and what would stop it. Amounts are credits. */
import { z } from 'zod'
import { endpoint } from '#dialect-kit/define-dialect.ts'
import { exactNumber, jsonAnswer } from '#dialect-kit/json-answer.ts'
import type { CapStatus } from '#spec/account.ts'
import type { AccountView } from '#spec/gateway.ts'
import { renderId } from '#spec/ids.ts'
import { type CreditScale, chargedCreditsOf, creditsOf } from '#spec/money.ts'
import { percent } from './amounts.ts'

const tierSchema = z.object({ name: z.string(), markup_percent: z.number() })

const accountSchema = z.object({
  object: z.literal('account'),
  mode: z.enum(['live', 'test']),
  plan: z.string(),
  workspace: z.object({ id: z.string(), name: z.string() }),
  key: z.object({ id: z.string(), name: z.string() }),
  balance: z.number().describe('In credits, as every amount here'),
  held: z.number().describe('For calls that run'),
  available: z.number().describe('What can be spent now: balance less held'),
  spend_30_days: z.number(),
  tier: tierSchema.extend({
    next: tierSchema
      .extend({ at_spend: z.number(), remaining: z.number() })
      .nullable()
      .describe('`null` at the top'),
  }),
  caps: z.array(
    z.object({
      scope: z.string().describe('`key`, `workspace` …'),
      period: z.enum(['day', 'month']).describe('Of UTC'),
      limit: z.number().nullable().describe('`null`: none'),
      used: z.number(),
      held: z.number(),
      resets_at: z.string(),
    }),
  ),
})

export function accountBody(account: AccountView, credits: CreditScale): object {
  return {
    object: 'account',
    mode: account.mode,
    plan: account.plan,
    workspace: { id: renderId('workspace', account.workspaceId), name: account.workspaceName },
    key: { id: renderId('key', account.keyId), name: account.keyName },
    balance: exactNumber(creditsOf(account.balanceNanoUsd, credits)),
    held: exactNumber(chargedCreditsOf(account.heldNanoUsd, credits)),
    available: exactNumber(creditsOf(account.availableNanoUsd, credits)),
    spend_30_days: exactNumber(chargedCreditsOf(account.spend30DaysNanoUsd, credits)),
    tier: tierBody(account, credits),
    caps: account.caps.map(cap => capBody(cap, credits)),
  }
}

function tierBody(
  { tier, markupBasisPoints, nextTier, ...account }: AccountView,
  credits: CreditScale,
): object {
  if (nextTier === undefined) return { name: tier, markup_percent: percent(markupBasisPoints), next: null }
  const missing = nextTier.fromSpendNanoUsd - account.spend30DaysNanoUsd
  return {
    name: tier,
    markup_percent: percent(markupBasisPoints),
    next: {
      name: nextTier.tier,
      markup_percent: percent(nextTier.markupBasisPoints),
      at_spend: exactNumber(creditsOf(nextTier.fromSpendNanoUsd, credits)),
      remaining: exactNumber(chargedCreditsOf(missing > 0n ? missing : 0n, credits)),
    },
  }
}

function capBody(cap: CapStatus, credits: CreditScale): object {
  return {
    scope: cap.scope,
    period: cap.period,
    limit: cap.limitNanoUsd === undefined ? null : exactNumber(creditsOf(cap.limitNanoUsd, credits)),
    used: exactNumber(chargedCreditsOf(cap.usedNanoUsd, credits)),
    held: exactNumber(chargedCreditsOf(cap.heldNanoUsd, credits)),
    resets_at: cap.resetsAt.toISOString(),
  }
}

export const me = endpoint({
  method: 'GET',
  path: '/me',
  reference: {
    summary: 'Look at your account',
    description: 'Whose key this is, what it can spend, and what would stop it.',
    tag: 'Account',
    answer: { schema: accountSchema },
    example: {},
  },
  async handle({ call, gateway, reply }) {
    reply.send(jsonAnswer(200, accountBody(await gateway.account(call), gateway.credits)))
  },
})
