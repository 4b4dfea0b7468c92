/** What each action of the catalogue takes in, and which of a model's actions fits what was sent. */
import type { InputRole } from '#spec/media.ts'
import type { MediaOperation, MediaOperationName } from '#spec/operation.ts'

/** Files an action cannot do without: each is any one of so many roles, `atLeast` times. */
interface Need {
  readonly roles: readonly InputRole[]
  readonly atLeast?: number
  /** An earlier task of ours may stand in for the file. */
  readonly orParent?: boolean
  /** For errors: "an image". */
  readonly words: string
}

const PICTURES = ['image', 'first_frame', 'reference_image'] as const
const SCENES = ['image', 'reference_image', 'reference_video', 'reference_audio', 'video', 'audio'] as const
const CLIPS = ['video', 'reference_video'] as const
const SOUNDS = ['audio', 'reference_audio'] as const

const PICTURE: Need = { roles: PICTURES, words: 'an image' }
const TWO_PICTURES: Need = { roles: [...PICTURES, 'last_frame'], atLeast: 2, words: 'two images' }
const CLIP: Need = { roles: CLIPS, words: 'a video' }
const CLIP_OR_TASK: Need = { ...CLIP, orParent: true, words: 'a video or a finished task' }
const SOUND: Need = { roles: SOUNDS, words: 'an audio file' }
const SOUND_OR_TASK: Need = { ...SOUND, orParent: true, words: 'an audio file or a finished task' }

/** Needs by action. Those that work on a file of the operation's own kind are in `CHANGES`. */
const NEEDS: Readonly<Record<string, readonly Need[]>> = {
  text2img: [],
  text2svg: [],
  transparent: [],
  multi_img2img: [TWO_PICTURES],
  virtual_try_on: [TWO_PICTURES],
  text2video: [],
  image2video: [PICTURE],
  first_last_frame2video: [TWO_PICTURES],
  reference2video: [{ roles: SCENES, words: 'a reference image, video or audio' }],
  multi_condition2video: [],
  storyboard2video: [],
  create_character: [],
  effects: [PICTURE],
  motion_control: [PICTURE, CLIP],
  character_swap: [CLIP],
  image_lipsync: [PICTURE, SOUND],
  lipsync: [{ roles: [...CLIPS, ...PICTURES], words: 'a video' }],
  talking_avatar: [],
  human_identification: [PICTURE],
  subject_detection: [PICTURE],
  audio2video: [SOUND_OR_TASK],
  extend_video: [CLIP_OR_TASK],
  text2music: [],
  lyrics2music: [],
  text2speech: [],
  text2dialogue: [],
  text2sfx: [],
  text2text: [],
  voice_design: [],
  voice_clone: [SOUND_OR_TASK],
  speech2text: [{ roles: [...SOUNDS, ...CLIPS], orParent: true, words: 'an audio file' }],
  speech2speech: [SOUND],
  dubbing: [{ roles: [...SOUNDS, ...CLIPS], words: 'an audio or video file' }],
  audio_isolation: [SOUND],
  video2audio: [CLIP],
  text2_3d: [],
  image2_3d: [PICTURE],
  sketch2_3d: [PICTURE],
  image2world: [PICTURE],
  multiview2_3d: [TWO_PICTURES],
}

/** What an action that is in no list above works on, by what it makes. */
const CHANGES: Readonly<Record<MediaOperationName, readonly Need[]>> = {
  image: [{ ...PICTURE, orParent: true }],
  video: [CLIP_OR_TASK],
  music: [SOUND_OR_TASK],
  speech: [SOUND],
  // A shape comes as an address among the options: there is no role for it.
  mesh: [],
}

/** Actions that work from words alone: a picture or a video beside them means another action. */
const BY_WORDS: ReadonlySet<string> = new Set([
  ...['text2img', 'text2svg', 'transparent', 'text2video', 'text2_3d'],
  ...['text2music', 'lyrics2music', 'text2speech', 'text2dialogue', 'text2sfx', 'text2text', 'voice_design'],
])

/** Of those, the ones that are nothing without a prompt. */
const NEEDS_PROMPT: ReadonlySet<string> = new Set([
  ...['text2img', 'text2svg', 'text2video', 'text2_3d', 'text2speech', 'text2sfx'],
])

/**
 * The action of the model that fits what was sent: of those whose needs are met, the one that needs most; the first of
 * them where several need as much. `undefined` where nothing fits.
 */
export function fittingAction(actions: readonly string[], request: MediaOperation): string | undefined {
  const wantsLyrics = request.operation === 'music' && request.lyrics !== undefined
  let best: { readonly action: string; readonly weight: number } | undefined
  for (const action of actions) {
    if (missingFor(action, request) !== undefined || refusedInput(action, request) !== undefined) continue
    const lyrics = wantsLyrics && action === 'lyrics2music' ? 1 : 0
    const weight = weightOf(action, request) + lyrics
    if (best === undefined || weight > best.weight) best = { action, weight }
  }
  return best?.action
}

/** What an action still needs, in words; `undefined` where nothing is missing. */
export function missingFor(action: string, request: MediaOperation): string | undefined {
  return needsOf(action, request.operation).find(need => !isMet(need, request))?.words
}

/** The first input that an action of words has no use for. */
export function refusedInput(
  action: string,
  request: MediaOperation,
): MediaOperation['inputs'][number] | undefined {
  if (!BY_WORDS.has(action)) return undefined
  // A voice or a tune to follow belongs to speech and music made from words.
  const isSound = request.operation === 'music' || request.operation === 'speech'
  return request.inputs.find(({ role }) => !(isSound && (role === 'audio' || role === 'reference_audio')))
}

/** Whether the action is nothing without a prompt, and there is none. Scenes of their own are one. */
export function lacksPrompt(action: string, { prompt, options }: MediaOperation): boolean {
  if (!NEEDS_PROMPT.has(action) || prompt.trim() !== '') return false
  return !['multi_prompt', 'shots'].some(name => Object.hasOwn(options, name))
}

/** Actions that take a video or a sound and still make something of a length of its own. */
const OWN_LENGTH: ReadonlySet<string> = new Set([
  ...['reference2video', 'extend_video', 'extend_audio', 'voice_clone'],
])

/** Whether the length of the result follows from a file that goes in. */
export function followsInput(action: string, operation: MediaOperationName): boolean {
  if (OWN_LENGTH.has(action)) return false
  const timed: readonly InputRole[] = [...CLIPS, ...SOUNDS]
  return needsOf(action, operation).some(need => need.roles.some(role => timed.includes(role)))
}

/** Whether a picture or a video goes in, so that its shape is the result's. */
export function hasVisualInput(request: MediaOperation): boolean {
  return request.inputs.some(({ role }) => role !== 'audio' && role !== 'reference_audio')
}

function needsOf(action: string, operation: MediaOperationName): readonly Need[] {
  return (Object.hasOwn(NEEDS, action) ? NEEDS[action] : undefined) ?? CHANGES[operation]
}

function isMet(need: Need, request: MediaOperation): boolean {
  if (need.orParent === true && hasParent(request)) return true
  return request.inputs.filter(({ role }) => need.roles.includes(role)).length >= (need.atLeast ?? 1)
}

/** Some vendors name the earlier task among their own fields. */
function hasParent(request: MediaOperation): boolean {
  if ('parentTask' in request && request.parentTask !== undefined) return true
  return ['task_id', 'taskId'].some(name => typeof request.options[name] === 'string')
}

/** How much an action asks for; a mask makes inpainting of an edit, references make another of a first frame. */
function weightOf(action: string, request: MediaOperation): number {
  const needs = needsOf(action, request.operation)
  const asked = needs.reduce((sum, need) => sum + (need.atLeast ?? 1), 0)
  const has = (...roles: readonly InputRole[]) => request.inputs.some(({ role }) => roles.includes(role))
  if (action === 'inpaint' && has('mask')) return asked + 1
  if (action !== 'reference2video') return asked
  return has('reference_image', 'reference_video', 'reference_audio') ? asked + 2 : asked - 0.5
}
