/** kie.ai's records of voices, as docs.kie.ai names their paths and its sister site their fields; no body of their callbacks is documented. */
import type { ToldState } from '../media/job.ts'
import type { KieFamily } from './record.ts'

const STATUS: Readonly<Record<ToldState, string>> = {
  queued: 'wait_processing',
  running: 'processing_validate',
  succeeded: 'wait_validating',
  failed: 'processing_validate_fail',
  cancelled: 'processing_validate_fail',
  'unknown-word': 'listening',
}
const VOICE_STATUS: Readonly<Record<ToldState, string>> = { ...STATUS, succeeded: 'success', failed: 'fail' }

const phrase = (create: string): KieFamily => ({
  create,
  record: '/api/v1/voice/validate-info',
  kind: 'audio',
  files: 0,
  data: (job, told) => ({
    taskId: job.id,
    status: STATUS[told],
    validateInfo: told === 'succeeded' ? 'The lighthouse keeps the night company' : '',
  }),
})

export const VOICE_FAMILIES: readonly KieFamily[] = [
  phrase('/api/v1/voice/validate'),
  phrase('/api/v1/voice/regenerate'),
  {
    create: '/api/v1/voice/generate',
    record: '/api/v1/voice/record-info',
    kind: 'audio',
    files: 0,
    data: (job, told) => ({
      taskId: job.id,
      status: VOICE_STATUS[told],
      voiceId: told === 'succeeded' ? `voice-${job.id}` : '',
    }),
  },
]
