/** What all of kie.ai's families have in common. */
import type {
  Condition,
  FailureRules,
  FamilySpec,
  FieldRule,
  StateRule,
} from '#provider-kit/task-spec/index.ts'

const OK: readonly Condition[] = [{ path: 'code', in: ['200'] }]

export const CALLBACK: readonly FieldRule[] = [{ to: 'callBackUrl', fact: 'callback_url' }]

/**
 * Some endpoints refuse a call without a callback. A reserved name that resolves nowhere stands in where this gateway cannot
 * be reached from outside; that the callback then fails changes nothing about the files.
 */
export const CALLBACK_REQUIRED: readonly FieldRule[] = [
  { to: 'callBackUrl', fact: 'callback_url', otherwise: 'https://callback.invalid/' },
]

export const KIE_FAILURE: FailureRules = {
  code: ['data.failCode', 'data.errorCode', 'code'],
  message: ['data.failMsg', 'data.errorMessage', 'msg', 'message'],
  okWhen: OK,
  kinds: {
    401: 'credential',
    402: 'credential',
    403: 'credential',
    433: 'credential',
    400: 'rejected',
    404: 'rejected',
    413: 'rejected',
    422: 'rejected',
    // It could not fetch the file that was named.
    451: 'rejected',
    405: 'rate-limited',
    429: 'rate-limited',
    430: 'rate-limited',
    // Maintenance, a full queue, a feature that is switched off: said before any work.
    455: 'unavailable',
    505: 'unavailable',
    550: 'unavailable',
    503: 'unavailable',
    // These may come after work was done.
    408: 'timeout',
    409: 'vendor',
    500: 'vendor',
    501: 'vendor',
    531: 'vendor',
  },
  moderationWords: [
    'sensitive',
    'moderat',
    'content polic',
    'flagged',
    'nsfw',
    'inappropriate',
    'prohibited',
    'violat',
    'matches existing work',
  ],
  clientCodes: ['400', '413', '422', '451'],
  clientWords: ['must be', 'is required', 'not supported', 'failed to fetch', 'too long', 'too large'],
  accountWords: ['credits are insufficient', 'insufficient credits', 'top up'],
}

/** `successFlag` as a number. 4 is a finished job whose callback did not arrive. */
export const FLAGS: Readonly<Record<string, StateRule>> = {
  0: 'running',
  1: 'succeeded',
  2: 'failed',
  3: 'failed',
  4: 'succeeded-with-outputs',
}

/** `successFlag` or `status` in words. */
export const WORDS: Readonly<Record<string, StateRule>> = {
  pending: 'queued',
  success: 'succeeded',
  create_task_failed: 'failed',
  generate_wav_failed: 'failed',
  generate_audio_failed: 'failed',
  generate_mp4_failed: 'failed',
  generate_lyrics_failed: 'failed',
  // Our callback did not arrive; the files may be there.
  callback_exception: 'succeeded-with-outputs',
  sensitive_word_error: 'failed',
}

/** A task created by POST and looked up by `taskId`. */
export function family(
  spec: Omit<FamilySpec, 'id' | 'poll'> & {
    readonly record: string
    readonly state?: string | undefined
    readonly states?: Readonly<Record<string, StateRule>> | undefined
    readonly poll?: Partial<NonNullable<FamilySpec['poll']>> | undefined
  },
): FamilySpec {
  const { record, state = 'data.successFlag', states = FLAGS, poll, ...rest } = spec
  return {
    ...rest,
    id: 'data.taskId',
    poll: {
      path: `/api/v1/${record}`,
      query: [{ to: 'taskId', fact: 'id' }],
      state,
      states,
      ...poll,
    },
  }
}
