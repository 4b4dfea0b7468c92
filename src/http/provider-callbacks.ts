/** Where vendors call us back about tasks. What they say is never believed; that they called is a reason to look. */
import type { EndpointExchange } from '#spec/dialect.ts'
import { GatewayError } from '#spec/errors.ts'
import type { RawCallback } from '#spec/task-provider.ts'

/** A vendor's callback may hold its whole result. */
export const PROVIDER_CALLBACK_BYTES = 4 * 1024 * 1024

/** Says whether the callback was genuine and about a task that is known. */
export type ReceiveProviderCallback = (
  where: { readonly provider: string; readonly name: string; readonly token: string },
  raw: RawCallback,
) => Promise<'accepted' | 'unknown'>

export function receiveCallback(receive: ReceiveProviderCallback) {
  return async ({ request, reply }: EndpointExchange): Promise<void> => {
    const { provider = '', name = '', token = '' } = request.params
    const url = `/provider-callbacks/${provider}/${name}/${token}`
    const raw = { headers: request.headers, body: request.body ?? Buffer.alloc(0), url }
    const received = await receive({ provider, name, token }, raw)
    // One answer for all that is wrong: a stranger learns nothing.
    if (received === 'unknown') throw new GatewayError('not_found', 'There is nothing here.')
    reply.send({ status: 200, contentType: 'application/json', body: '{"code":200,"msg":"success"}' })
  }
}
