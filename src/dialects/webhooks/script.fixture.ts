/** A desk with one endpoint that is on, one that is off, and a delivery to the first. */
import type { DeskScript } from '#dialect-kit/scripted-desk.ts'
import type { GatewayScript } from '#dialect-kit/scripted-gateway.ts'
import { TASK_ID } from '#dialect-kit/task.fixture.ts'
import type { Uuid } from '#spec/ids.ts'

export const ENDPOINT_ID = '019b76da-a800-7000-8000-00000000000a' as Uuid
export const OFF_ID = '019b76da-a800-7000-8000-00000000000b' as Uuid
export const DELIVERY_ID = '019b76da-a800-7000-8000-00000000000c' as Uuid
const createdAt = new Date('2026-01-01T00:00:00Z')

const endpoint = {
  id: ENDPOINT_ID,
  url: 'https://example.com/hooks',
  description: 'Production',
  secret: 'whsec_c2VjcmV0',
  disabledReason: undefined,
  createdAt,
}

export const DESK: DeskScript = {
  endpoints: [endpoint, { ...endpoint, id: OFF_ID, disabledReason: 'The receiver answered 410 Gone.' }],
  secret: 'whsec_d29ya3NwYWNl',
  oldSignUntil: new Date('2026-01-02T00:00:00Z'),
  deliveries: [
    {
      id: DELIVERY_ID,
      taskId: TASK_ID,
      endpointId: ENDPOINT_ID,
      url: endpoint.url,
      event: 'task.succeeded',
      state: 'pending',
      tries: 1,
      lastStatus: 503,
      lastError: undefined,
      dueAt: new Date('2026-01-01T00:00:06Z'),
      createdAt,
    },
  ],
  log: [{ number: 1, at: createdAt, status: 503, error: undefined, durationMs: 41 }],
}

export const SCRIPT: GatewayScript = { desk: DESK }
