/** The envelope that every answer comes in: `{"code","msg","data"}`, with the content type of kie's own host. */
import type { WireAnswer } from '#spec/gateway.ts'

export const CONTENT_TYPE = 'application/json;charset=UTF-8'

/** An answer of any status. `code` in the body is what kie's clients read; the HTTP status is for everyone else. */
export function envelope(code: number, msg: string, data: unknown, status = 200): WireAnswer {
  return { status, contentType: CONTENT_TYPE, body: JSON.stringify({ code, msg, data }) }
}

/** The answer to a call that went well. */
export function success(data: unknown): WireAnswer {
  return envelope(200, 'success', data)
}
