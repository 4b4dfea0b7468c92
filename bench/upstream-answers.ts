/** The bytes the upstream answers with. Their usage is fixed, so that every call has one price. */
import process from 'node:process'

/** What every plain call used, and every stream, however long it was. */
export const PLAIN_USAGE = { prompt: 480, completion: 30 } as const
export const STREAM_USAGE = { prompt: 480, completion: 42 } as const

const CREATED = 1_767_225_600

const plainBody = JSON.stringify({
  id: 'chatcmpl-bench0000000000000000000',
  object: 'chat.completion',
  created: CREATED,
  model: 'gpt-4o-mini',
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content:
          'A gate keeps count of all who pass, and what they owe is written down before the door is opened; nobody is asked to pay for a road that ended.',
        refusal: null,
      },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: usageOf(PLAIN_USAGE),
  service_tier: 'default',
  system_fingerprint: 'fp_bench',
})

/** Head and body of the one plain answer. */
export const PLAIN_ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(plainBody)}\r\n` +
    `x-request-id: req_bench\r\n\r\n${plainBody}`,
)

export const STREAM_HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n' +
  'x-request-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n'

const chunkBefore =
  `data: {"id":"chatcmpl-bench0000000000000000000","object":"chat.completion.chunk","created":${CREATED},` +
  '"model":"gpt-4o-mini","service_tier":"default","system_fingerprint":"fp_bench","choices":'

/** What begins an event's text where it is the time of its writing. */
export const TIME_MARK = '"content":" t'
/** Digits of a time. */
export const TIME_DIGITS = 16

/** Microseconds of the machine's monotonic clock, which all its processes share. */
export function machineMicroseconds(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1_000_000 + Math.trunc(nanoseconds / 1_000)
}

/** The opening event: the role, no text. */
export function firstEvent(): string {
  return ROLE_EVENT
}

/** One token, its text the time of its writing. */
export function timedEvent(): string {
  return TIMED_BEFORE + String(machineMicroseconds()).padStart(TIME_DIGITS, '0') + TIMED_AFTER
}

/** Finish reason, usage where it was asked for, `[DONE]`, and the end of the body, in one write. */
export function doneEvents(withUsage: boolean): string {
  return withUsage ? DONE_WITH_USAGE : DONE
}

function httpChunk(data: string): string {
  return `${Buffer.byteLength(data).toString(16)}\r\n${data}\r\n`
}

function event(choices: string, usage = 'null'): string {
  return `${chunkBefore}${choices},"usage":${usage}}\n\n`
}

const ROLE_EVENT = httpChunk(
  event(
    '[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]',
  ),
)

const TIME_PLACE = '#'.repeat(TIME_DIGITS)
const [TIMED_BEFORE, TIMED_AFTER] = httpChunk(
  event(`[{"index":0,"delta":{${TIME_MARK}${TIME_PLACE}"},"logprobs":null,"finish_reason":null}]`),
).split(TIME_PLACE) as [string, string]

const FINISH = httpChunk(event('[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]'))
const END = `${httpChunk('data: [DONE]\n\n')}0\r\n\r\n`
const DONE = FINISH + END
const DONE_WITH_USAGE = FINISH + httpChunk(event('[]', JSON.stringify(usageOf(STREAM_USAGE)))) + END

function usageOf(usage: { readonly prompt: number; readonly completion: number }) {
  return {
    prompt_tokens: usage.prompt,
    completion_tokens: usage.completion,
    total_tokens: usage.prompt + usage.completion,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  }
}
