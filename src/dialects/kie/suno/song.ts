/** Fields that calls for songs share, and what each model allows of them. */
import { z } from 'zod'
import { callBackUrl, ENVELOPE_FIELDS } from '../body.ts'
import { ClientFields, invalidField } from '../client-fields.ts'

/** `V6` is newer than kie's pages that we have; the catalogue decides what is served. */
export const songModel = z.enum(['V3_5', 'V4', 'V4_5', 'V4_5PLUS', 'V4_5ALL', 'V5', 'V5_5', 'V6'])
export type SongModel = z.infer<typeof songModel>

const share = z.number().min(0).max(1)

/** What most calls for songs may say besides. */
export const songShape = {
  negativeTags: z.string().max(1_000).nullish(),
  vocalGender: z.enum(['m', 'f']).nullish(),
  styleWeight: share.nullish(),
  weirdnessConstraint: share.nullish(),
  audioWeight: share.nullish(),
  callBackUrl,
} as const

export const personaShape = {
  personaId: z.string().max(200).nullish(),
  personaModel: z.enum(['style_persona', 'voice_persona']).nullish(),
} as const

export const songDuration = z
  .number()
  .min(10)
  .max(360)
  .nullish()
  .describe('Seconds; custom mode with V5_5 only')

/** A song's words, style and title, as any call spells them. */
interface SongTexts {
  readonly model?: SongModel | null | undefined
  readonly prompt?: string | null | undefined
  readonly style?: string | null | undefined
  readonly title?: string | null | undefined
  readonly instrumental?: boolean | null | undefined
}

const OLD_MODELS: ReadonlySet<string> = new Set(['V3_5', 'V4'])
/** An idea, where Suno writes the words itself. */
const MAX_IDEA_CHARS = 500

/** The length of a title that a call allows, by model. */
export type TitleLimit = (model: SongModel) => number

export const SHORT_TITLES: TitleLimit = () => 80
export const LONG_TITLES: TitleLimit = model => (['V3_5', 'V4', 'V4_5ALL'].includes(model) ? 80 : 100)

/** What custom mode needs: a style, a title, and words unless nobody sings. Throws `invalid_request`. */
export function checkCustomSong(song: SongTexts, titles: TitleLimit): void {
  requireText('style', song.style)
  requireText('title', song.title)
  if (song.instrumental !== true) requireText('prompt', song.prompt)
  checkLengths(song, titles)
}

export function checkLengths(song: SongTexts, titles: TitleLimit): void {
  const model = song.model ?? 'V4_5PLUS'
  const isOld = OLD_MODELS.has(model)
  limitText('prompt', song.prompt, isOld ? 3_000 : 5_000)
  limitText('style', song.style, isOld ? 200 : 1_000)
  limitText('title', song.title, titles(model))
}

/** Without custom mode there is only an idea. */
export function checkIdea(song: SongTexts): void {
  requireText('prompt', song.prompt)
  limitText('prompt', song.prompt, MAX_IDEA_CHARS)
}

function requireText(param: string, text: string | null | undefined): void {
  if (text === undefined || text === null || text === '') throw invalidField(param, 'a text')
}

function limitText(param: string, text: string | null | undefined, maxChars: number): void {
  if ((text?.length ?? 0) > maxChars) throw invalidField(param, `at most ${maxChars} characters`)
}

/** The body's fields without those that are no options. */
export function songFields(body: Readonly<Record<string, unknown>>): ClientFields {
  const fields = new ClientFields(body)
  fields.drop(...ENVELOPE_FIELDS)
  return fields
}
