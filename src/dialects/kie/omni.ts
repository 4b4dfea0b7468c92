/**
 * Gemini Omni's helpers: a voice and a character, whose ids a `gemini-omni-video` then names in `audio_ids` and
 * `character_ids`. Both answer at once (docs.kie.ai/market/gemini-omni-audio, …-character). Their pages show no answer: the
 * fields are those that public clients read, and both spellings of each id.
 */
import { z } from 'zod'
import { GatewayError } from '#spec/errors.ts'
import type { TaskView } from '#spec/task.ts'
import { ClientFields, invalidField } from './client-fields.ts'
import { createEndpoint } from './endpoints.ts'
import { success } from './envelope.ts'
import { speechRequest, videoRequest } from './media-operation.ts'
import { resultObject, textIn } from './results.ts'

const TAG = 'Gemini Omni'
export const OMNI_AUDIO_FAMILY = 'omni.audio'
export const OMNI_CHARACTER_FAMILY = 'omni.character'

/** Gemini's own voices, as kie spells them. */
const VOICES = [
  ...['achernar', 'achird', 'algenib', 'algieba', 'alnilam', 'aoede', 'autonoe', 'callirrhoe', 'charon'],
  ...['despina', 'enceladus', 'erinome', 'fenrir', 'gacrux', 'iapetus', 'kore', 'laomedeia', 'leda', 'orus'],
  ...['puck', 'pulcherrima', 'rasalgethi', 'sadachbia', 'sadaltager', 'schedar', 'sulafat', 'umbriel'],
  ...['vindemiatrix', 'zephyr', 'zubenelgenubi'],
] as const

const MAX_TEXT_CHARS = 20_000

export const omniAudioCreate = createEndpoint({
  path: '/omni/audio/create',
  tag: TAG,
  summary: 'Make a voice for Gemini Omni videos',
  body: z.looseObject({
    audio_id: z.enum(VOICES).describe('The preset voice that it is made of'),
    name: z.string().min(1).max(210),
    voice_description: z.string().max(MAX_TEXT_CHARS).nullish(),
    example_dialogue: z.string().max(120).nullish().describe('What it says in a sample'),
  }),
  data: z.object({
    audioId: z.string().describe('For `audio_ids`'),
    kieAudioId: z.string(),
    audio_id: z.string(),
    name: z.string(),
  }),
  example: {
    audio_id: 'achernar',
    name: 'Narrator',
    voice_description: 'A calm, clear and friendly voice',
    example_dialogue: 'Hello and welcome.',
  },
  create(given) {
    const { audio_id: voice, name, voice_description, example_dialogue } = given
    const prompt = example_dialogue || voice_description || name
    const fields = new ClientFields({ prompt, voice, name, voice_description, example_dialogue })
    const request = speechRequest(fields, { model: 'gemini-omni-audio', action: 'voice_design' })
    return {
      family: OMNI_AUDIO_FAMILY,
      request,
      waits: true,
      answer(task) {
        const id = idIn(task, 'voice', 'kieAudioId', 'audioId', 'voiceId')
        return success({ audioId: id, kieAudioId: id, audio_id: id, name })
      },
    }
  },
})

export const omniCharacterCreate = createEndpoint({
  path: '/omni/character/create',
  tag: TAG,
  summary: 'Make a character for Gemini Omni videos',
  body: z.looseObject({
    descriptions: z.string().max(MAX_TEXT_CHARS).nullish().describe('Who it is'),
    description: z.string().max(MAX_TEXT_CHARS).nullish().describe('Another spelling of descriptions'),
    image_urls: z.array(z.string()).length(1).describe('Exactly one picture of it'),
    audio_ids: z.array(z.string().min(1)).nullish().describe('Its voices, made by omni/audio/create'),
    character_name: z.string().max(210).nullish(),
  }),
  data: z.object({
    characterId: z.string().describe('For `character_ids`'),
    character_id: z.string(),
    characterName: z.string(),
    imageUrl: z.string(),
  }),
  example: {
    descriptions: 'A woman of thirty with short dark hair',
    image_urls: ['https://example.com/portrait.png'],
    character_name: 'Ada',
  },
  create(given) {
    const { image_urls, audio_ids, character_name } = given
    const prompt = given.descriptions || given.description
    if (!prompt) throw invalidField('descriptions', 'who the character is')
    const fields = new ClientFields({ prompt, image_urls, audio_ids, character_name })
    const request = videoRequest(fields, { model: 'gemini-omni-character', action: 'create_character' })
    return {
      family: OMNI_CHARACTER_FAMILY,
      request,
      waits: true,
      answer(task) {
        const id = idIn(task, 'character', 'characterId', 'character_id')
        const imageUrl = task.request.inputs[0]?.url ?? ''
        return success({ characterId: id, character_id: id, characterName: character_name ?? '', imageUrl })
      },
    }
  },
})

function idIn(task: TaskView, what: string, ...names: readonly string[]): string {
  const id = textIn(resultObject(task), ...names)
  if (id !== undefined) return id
  throw new GatewayError('generation_failed', `No ${what} was made.`)
}
