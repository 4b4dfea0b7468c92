/** `tollgate webhooks …`: where callbacks go, and what became of each. */
import { parseId, parseTaskId, renderId, renderTaskId, type Uuid } from '#spec/ids.ts'
import type { CallbackSecret, Delivery, WebhookDesk, WebhookEndpoint } from '#spec/webhook.ts'
import type { Wired } from '../wire.ts'
import {
  type Command,
  type CommandOption,
  limitOf,
  table,
  UsageError,
  WORKSPACE_OPTION,
  type Words,
  workspaceOf,
} from './command.ts'

const MODE: CommandOption = { type: 'string', help: 'live (default) or test' }
const WHOSE = { workspace: WORKSPACE_OPTION, mode: MODE } as const
const OVERLAP: CommandOption = {
  type: 'string',
  help: 'how long the secrets before it sign too; 24 if left out, 0: not at all',
}
const HOUR_MS = 3_600_000
const MAX_OVERLAP_HOURS = 168

export const webhooksList: Command = {
  name: 'webhooks list',
  summary: 'Lists the endpoints that hear of every task of a workspace.',
  example: 'npx tollgate webhooks list --mode test',
  options: WHOSE,
  async run(words, wired) {
    const endpoints = await (await deskOf(words, wired)).listEndpoints()
    return {
      json: endpoints.map(endpointJson),
      text: table(
        ['id', 'url', 'description', 'state'],
        endpoints.map(one => [
          renderId('endpoint', one.id),
          one.url,
          one.description,
          one.disabledReason ?? 'on',
        ]),
      ),
    }
  },
}

export const webhooksAdd: Command = {
  name: 'webhooks add',
  summary: 'Adds an endpoint, and prints the secret that signs what it is sent.',
  example: 'npx tollgate webhooks add --url https://example.com/hooks --mode live',
  options: {
    url: { type: 'string', help: 'where to POST' },
    description: { type: 'string', help: 'for people' },
    ...WHOSE,
  },
  async run(words, wired) {
    const desk = await deskOf(words, wired)
    const url = words.required('url')
    const made = await desk.createEndpoint({ url, description: words.text('description') ?? '' })
    return withSecret(made, 'hears of every task from now on')
  },
}

export const webhooksRemove: Command = {
  name: 'webhooks remove',
  summary: 'Deletes an endpoint. What waits for it is dropped.',
  example: 'npx tollgate webhooks remove whe_0199…',
  operands: '<endpoint id>',
  options: WHOSE,
  async run(words, wired) {
    const id = endpointIdOf(words)
    await (await deskOf(words, wired)).deleteEndpoint(id)
    const shown = renderId('endpoint', id)
    return { json: { id: shown, deleted: true }, text: `${shown} is deleted.` }
  },
}

export const webhooksSwitch: Command = {
  name: 'webhooks switch',
  summary: 'Switches an endpoint on or off. What is due while it is off is dropped.',
  example: 'npx tollgate webhooks switch whe_0199… on',
  operands: '<endpoint id> <on|off>',
  options: WHOSE,
  async run(words, wired) {
    const to = words.operand(1, 'on or off')
    if (to !== 'on' && to !== 'off') throw new UsageError('an endpoint is switched on or off')
    const id = endpointIdOf(words)
    const changed = await (await deskOf(words, wired)).changeEndpoint(id, { enabled: to === 'on' })
    return { json: endpointJson(changed), text: `${renderId('endpoint', id)} is ${to}.` }
  },
}

export const webhooksRotate: Command = {
  name: 'webhooks rotate',
  summary: 'Gives an endpoint a new secret. The one before it signs too for 24 hours.',
  example: 'npx tollgate webhooks rotate whe_0199…',
  operands: '<endpoint id>',
  options: { 'overlap-hours': OVERLAP, ...WHOSE },
  async run(words, wired) {
    const overlapMs = overlapOf(words)
    const rotated = await (await deskOf(words, wired)).rotateSecret(endpointIdOf(words), { overlapMs })
    return withSecret(rotated, 'has a new secret')
  },
}

export const webhooksSecret: Command = {
  name: 'webhooks secret',
  summary: 'Prints the secret that signs callbacks to URLs which requests name themselves.',
  example: 'npx tollgate webhooks secret --mode test',
  options: WHOSE,
  async run(words, wired) {
    const secret = await (await deskOf(words, wired)).readCallbackSecret()
    return { json: secretJson(secret), text: [secret.secret, ...overlapLines(secret)].join('\n\n') }
  },
}

export const webhooksSecretRotate: Command = {
  name: 'webhooks secret rotate',
  summary: 'Gives URLs that requests name themselves a new secret. The one before it signs too for 24 hours.',
  example: 'npx tollgate webhooks secret rotate --overlap-hours 48',
  options: { 'overlap-hours': OVERLAP, ...WHOSE },
  async run(words, wired) {
    const overlapMs = overlapOf(words)
    const rotated = await (await deskOf(words, wired)).rotateCallbackSecret({ overlapMs })
    const lines = [
      rotated.secret,
      'It signs from now on. X-Webhook-Signature, which has room for one signature, is made with it alone.',
      ...overlapLines(rotated),
    ]
    return { json: secretJson(rotated), text: lines.join('\n\n') }
  },
}

export const webhooksDeliveries: Command = {
  name: 'webhooks deliveries',
  summary: 'Lists the latest callbacks and what became of each.',
  example: 'npx tollgate webhooks deliveries --limit 10',
  options: {
    task: { type: 'string', help: 'only those of one task' },
    limit: { type: 'string', help: 'how many; 50 if left out' },
    ...WHOSE,
  },
  async run(words, wired) {
    const task = words.text('task')
    const taskId = task === undefined ? undefined : parseTaskId(task)
    if (task !== undefined && taskId === undefined) throw new UsageError(`"${task}" is not the id of a task`)
    const limit = limitOf(words, 50)
    const deliveries = await (await deskOf(words, wired)).listDeliveries({ taskId, limit })
    return {
      json: deliveries.map(deliveryJson),
      text: table(
        ['id', 'at', 'task', 'event', 'state', 'tries', 'last', 'url'],
        deliveries.map(deliveryRow),
      ),
    }
  },
}

export const webhooksReplay: Command = {
  name: 'webhooks replay',
  summary: 'Sends a callback again with the same id and body. A running server does so within a second.',
  example: 'npx tollgate webhooks replay dlv_0199…',
  operands: '<delivery id>',
  options: WHOSE,
  async run(words, wired) {
    const text = words.operand(0, 'the id of the delivery')
    const id = parseId('delivery', text) ?? parseId('message', text)
    if (id === undefined) throw new UsageError(`there is no delivery "${text}"`)
    const replayed = await (await deskOf(words, wired)).replay(id)
    return { json: deliveryJson(replayed), text: `${renderId('delivery', id)} is due now.` }
  },
}

export const webhooks: readonly Command[] = [
  webhooksList,
  webhooksAdd,
  webhooksRemove,
  webhooksSwitch,
  webhooksRotate,
  // Before the one whose name it begins with.
  webhooksSecretRotate,
  webhooksSecret,
  webhooksDeliveries,
  webhooksReplay,
]

async function deskOf(words: Words, wired: Wired): Promise<WebhookDesk> {
  const workspace = await workspaceOf(words, wired)
  return wired.parts.media.webhookDesk({ workspaceId: workspace.id, mode: words.mode('live') })
}

function overlapOf(words: Words): number | undefined {
  const text = words.text('overlap-hours')
  if (text === undefined) return undefined
  const hours = Number(text)
  if (/^\d{1,3}(\.\d+)?$/.test(text) && hours <= MAX_OVERLAP_HOURS) return hours * HOUR_MS
  throw new UsageError(`--overlap-hours must be 0 to ${MAX_OVERLAP_HOURS}`)
}

function secretJson({ secret, oldSignUntil }: CallbackSecret) {
  return { secret, old_secrets_sign_until: oldSignUntil ?? null }
}

function overlapLines({ oldSignUntil }: CallbackSecret): readonly string[] {
  return oldSignUntil === undefined ? [] : [`Those before it sign too until ${oldSignUntil.toISOString()}.`]
}

function endpointIdOf(words: Words): Uuid {
  const text = words.operand(0, 'the id of the endpoint')
  const id = parseId('endpoint', text)
  if (id === undefined) throw new UsageError(`there is no endpoint "${text}"`)
  return id
}

function withSecret(endpoint: WebhookEndpoint, what: string) {
  return {
    json: { ...endpointJson(endpoint), secret: endpoint.secret },
    text: `${endpoint.secret}\n\n${renderId('endpoint', endpoint.id)} (${endpoint.url}) ${what}.`,
  }
}

function endpointJson(endpoint: WebhookEndpoint) {
  return {
    id: renderId('endpoint', endpoint.id),
    url: endpoint.url,
    description: endpoint.description,
    enabled: endpoint.disabledReason === undefined,
    disabled_reason: endpoint.disabledReason ?? null,
    created_at: endpoint.createdAt,
  }
}

export function deliveryJson(delivery: Delivery) {
  const { endpointId } = delivery
  return {
    id: renderId('delivery', delivery.id),
    webhook_id: renderId('message', delivery.id),
    task_id: renderTaskId(delivery.taskId),
    endpoint_id: endpointId === undefined ? null : renderId('endpoint', endpointId),
    url: delivery.url,
    event: delivery.event,
    state: delivery.state,
    tries: delivery.tries,
    last_status: delivery.lastStatus ?? null,
    last_error: delivery.lastError ?? null,
    next_try_at: delivery.dueAt ?? null,
    created_at: delivery.createdAt,
  }
}

function deliveryRow(delivery: Delivery): string[] {
  return [
    renderId('delivery', delivery.id),
    delivery.createdAt.toISOString(),
    renderTaskId(delivery.taskId),
    delivery.event,
    delivery.state,
    String(delivery.tries),
    String(delivery.lastStatus ?? delivery.lastError ?? '-'),
    delivery.url,
  ]
}
