/** An error where no dialect is spoken: outside every mount, and below HTTP. */
import type { GatewayError } from '#spec/errors.ts'
import type { WireAnswer } from '#spec/gateway.ts'

export function plainError(error: GatewayError): WireAnswer {
  return {
    status: error.status,
    contentType: 'application/json',
    body: JSON.stringify({ error: { code: error.code, message: error.message } }),
  }
}
