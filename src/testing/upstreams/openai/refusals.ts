/** The simulated vendor's errors, in OpenAI's shape. */
import type { Flavour } from './answers.ts'
import type { Fault } from './faults.ts'

interface Refusal {
  readonly status: number
  readonly message: string
  readonly type: string
  readonly code: string | null
  readonly param?: string | undefined
}

/** Messages carry what a real one may: account ids, keys and links that must not reach a client. */
export const REFUSALS: Readonly<Partial<Record<Fault, Refusal>>> = {
  error400: {
    status: 400,
    message:
      "Invalid value: 'loud'. Supported values are: 'low' and 'high'. See https://platform.example.com/docs/x.",
    type: 'invalid_request_error',
    code: 'invalid_value',
    param: 'reasoning_effort',
  },
  error401: {
    status: 401,
    message:
      'Incorrect API key provided: sk-proj-abc1****wxyz. You can find your key at https://platform.example.com.',
    type: 'invalid_request_error',
    code: 'invalid_api_key',
  },
  error402: { status: 402, message: 'Insufficient credits', type: 'payment_required', code: null },
  error404: {
    status: 404,
    message: 'The model `gpt-none` does not exist or you do not have access to it.',
    type: 'invalid_request_error',
    code: 'model_not_found',
  },
  error500: { status: 500, message: 'The server had an error', type: 'server_error', code: null },
  error502: { status: 502, message: 'Bad gateway at 10.0.0.7:8080', type: 'server_error', code: null },
  error503: { status: 503, message: 'Overloaded', type: 'server_error', code: null },
  rate429: {
    status: 429,
    message: 'Rate limit reached for gpt-sim in organization org-a1b2c3d4 on tokens per min (TPM)',
    type: 'tokens',
    code: 'rate_limit_exceeded',
  },
  quota429: {
    status: 429,
    message: 'You exceeded your current quota',
    type: 'insufficient_quota',
    code: 'insufficient_quota',
  },
  'context-length': {
    status: 400,
    message:
      "This model's maximum context length is 128000 tokens. However, your messages resulted in 130001 tokens.",
    type: 'invalid_request_error',
    code: 'context_length_exceeded',
    param: 'messages',
  },
  'content-policy': {
    status: 400,
    message: 'Your request was rejected as a result of our safety system.',
    type: 'invalid_request_error',
    code: 'content_policy_violation',
  },
}

/** The error body of a refusal. OpenRouter writes the status as its code and the word into the metadata. */
export function refusalBody(refusal: Refusal, flavour: Flavour): string {
  const { status, message, type, code, param } = refusal
  if (flavour === 'openrouter') {
    const metadata = { error_type: code ?? type, provider_name: 'Simulated' }
    return JSON.stringify({ error: { code: status, message, metadata }, user_id: 'user_1' })
  }
  return JSON.stringify({ error: { message, type, param: param ?? null, code } })
}

/** An error as it arrives within a stream, after the head said 200. */
export function errorEvent(flavour: Flavour): string {
  if (flavour === 'openai') {
    return '{"error":{"message":"The server had an error while processing your request","type":"server_error","param":null,"code":null}}'
  }
  return '{"id":"gen-1","object":"chat.completion.chunk","error":{"code":502,"message":"Provider returned error","metadata":{"error_type":"provider_unavailable"}},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}'
}
