/** Suno's voices: a phrase that proves one, another phrase, and the voice made of the phrase read aloud. */
import type { FamilySpec } from '#provider-kit/task-spec/index.ts'
import type { StartRequest } from '#spec/task-provider.ts'
import { CALLBACK, family } from './envelope.ts'
import { audioOf } from './suno-works.ts'

/** One id of the catalogue for three calls: which of them, the client's step says. */
export const VOICE_MODEL = 'suno/voice'

export function voiceFamilyId({ request }: Pick<StartRequest, 'request'>): string {
  const { step } = request.options
  return `${VOICE_MODEL}-${step === 'validate' || step === 'regenerate' ? step : 'generate'}`
}

/** `wait_validating` waits for the client to read the phrase aloud: the phrase is what was asked for. */
const PHRASE_STATES = {
  wait_processing: 'queued',
  processing_validate: 'running',
  processing_validate_fail: 'failed',
  wait_validating: 'succeeded-with-outputs',
} as const

const PHRASE = {
  record: 'voice/validate-info',
  state: 'data.status',
  states: PHRASE_STATES,
  outputs: [],
  resultAt: { phrase: 'data.validateInfo' },
} as const

export const VOICE_FAMILIES: readonly FamilySpec[] = [
  family({
    ...PHRASE,
    name: 'suno.voice-validate',
    models: [`${VOICE_MODEL}-validate`],
    facts: start => ({ audio_url: audioOf(start) }),
    submit: {
      path: '/api/v1/voice/validate',
      envelope: [
        { to: 'voiceUrl', fact: 'audio_url' },
        ...['vocalStartS', 'vocalEndS', 'language'].map(name => ({ to: name, fact: `option.${name}` })),
        ...CALLBACK,
      ],
    },
  }),
  family({
    ...PHRASE,
    name: 'suno.voice-regenerate',
    models: [`${VOICE_MODEL}-regenerate`],
    submit: {
      path: '/api/v1/voice/regenerate',
      envelope: [
        { to: 'taskId', fact: 'parent.id' },
        // Spelled so, and required.
        { to: 'calBackUrl', fact: 'callback_url', otherwise: 'https://callback.invalid/' },
      ],
    },
  }),
  family({
    name: 'suno.voice',
    models: [`${VOICE_MODEL}-generate`],
    facts: start => ({ audio_url: audioOf(start) }),
    submit: {
      path: '/api/v1/voice/generate',
      envelope: [
        { to: 'taskId', fact: 'parent.id' },
        { to: 'verifyUrl', fact: 'audio_url' },
        { to: 'style', fact: 'style' },
        ...['voiceName', 'description', 'singerSkillLevel'].map(name => ({
          to: name,
          fact: `option.${name}`,
        })),
        ...CALLBACK,
      ],
    },
    record: 'voice/record-info',
    state: 'data.status',
    states: { ...PHRASE_STATES, wait_validating: 'queued', success: 'succeeded', fail: 'failed' },
    outputs: [],
    resultAt: { voiceId: 'data.voiceId' },
  }),
]
