/** Frames server-sent events. One event is one string, so a caller can join several into one write. */

export const SSE_CONTENT_TYPE = 'text/event-stream; charset=utf-8'

/** The end mark that OpenAI's format closes a stream with. */
export const SSE_DONE = 'data: [DONE]\n\n'

/** An event with a JSON value. `JSON.stringify` writes no line breaks, so one `data:` line holds it. */
export function sseJson(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`
}

/** An event with any text, and a name where one is given. Every line of the text gets its own `data:` line. */
export function sseEvent(data: string, name?: string): string {
  const head = name === undefined ? '' : `event: ${name}\n`
  return `${head}data: ${data.replaceAll(/\r\n|\r|\n/g, '\ndata: ')}\n\n`
}
