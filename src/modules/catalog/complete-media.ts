/** A media request against the rules of its model: defaults filled in, and what is not allowed refused by name. */
import { GatewayError } from '#spec/errors.ts'
import type { MediaFacts, Model } from '#spec/offering.ts'
import type { MediaOperation } from '#spec/operation.ts'
import {
  fittingAction,
  followsInput,
  hasVisualInput,
  lacksPrompt,
  missingFor,
  refusedInput,
} from './action-inputs.ts'

/** Ratios that follow the picture or video that goes in. */
const FOLLOWING = ['auto', 'adaptive']

/**
 * The request with action, count, and (where the model has rules for them) aspect ratio, resolution, duration and sound
 * set. `aliasAction` is what the model's name itself asked for; what the request says comes first. Spellings that mean
 * the same (`4K`, `4k`, `2160p`) become the catalogue's own.
 * Throws invalid_request with the field's plain name (`model`, `action`, `prompt`, `aspect_ratio`, `resolution`,
 * `duration`, `count`) or the input's own, and a sentence that lists what is allowed.
 */
export function completeMedia(model: Model, request: MediaOperation, aliasAction?: string): MediaOperation {
  const facts = model.media
  if (facts === undefined || model.operation !== request.operation) throw wrongOperation(model, request)
  const action = actionOf(model, facts, request, aliasAction)
  checkPrompt(facts, request, action)
  const complete = { ...request, action, count: countOf(facts, request) }
  switch (complete.operation) {
    case 'image':
      return { ...complete, aspectRatio: ratioOf(facts, complete), resolution: resolutionOf(facts, complete) }
    case 'video':
      return {
        ...complete,
        aspectRatio: ratioOf(facts, complete),
        resolution: resolutionOf(facts, complete),
        durationSeconds: durationOf(facts, complete, action),
        audio: complete.audio ?? (facts.audio === 'optional' ? true : undefined),
      }
    case 'music':
    case 'speech':
      return { ...complete, durationSeconds: durationOf(facts, complete, action) }
    case 'mesh':
      return complete
  }
}

function wrongOperation(model: Model, request: MediaOperation): GatewayError {
  return refusal(
    'model',
    `The model "${model.id}" makes ${PRODUCTS[model.operation]}, not ${PRODUCTS[request.operation]}.`,
  )
}

const PRODUCTS: Readonly<Record<Model['operation'], string>> = {
  chat: 'text',
  embed: 'embeddings',
  image: 'images',
  video: 'videos',
  music: 'music',
  speech: 'speech',
  mesh: '3D models',
}

function actionOf(
  model: Model,
  facts: MediaFacts,
  request: MediaOperation,
  aliasAction: string | undefined,
): string {
  const named =
    request.action ??
    (aliasAction !== undefined && facts.actions.includes(aliasAction) ? aliasAction : undefined)
  if (named === undefined) {
    const action = fittingAction(facts.actions, request)
    if (action === undefined) throw nothingFits(model, facts, request)
    return action
  }
  if (!facts.actions.includes(named)) {
    throw refusal(
      'action',
      `The model "${model.id}" cannot do "${named}". It can do: ${facts.actions.join(', ')}.`,
    )
  }
  const missing = missingFor(named, request)
  if (missing !== undefined)
    throw refusal(paramOf(missing), `"${named}" with the model "${model.id}" needs ${missing}.`)
  const refused = refusedInput(named, request)
  if (refused !== undefined) throw takesNone(model, refused, named)
  return named
}

function nothingFits(model: Model, facts: MediaFacts, request: MediaOperation): GatewayError {
  const input = request.inputs[0]
  const missing = facts.actions.map(action => missingFor(action, request)).find(words => words !== undefined)
  if (missing === undefined && input !== undefined) return takesNone(model, input, facts.actions[0] ?? '')
  return refusal(
    paramOf(missing ?? ''),
    `The model "${model.id}" needs ${missing}. It can do: ${facts.actions.join(', ')}.`,
  )
}

function takesNone(model: Model, input: MediaOperation['inputs'][number], action: string): GatewayError {
  return refusal(
    input.param,
    `The model "${model.id}" takes no ${input.role.replaceAll('_', ' ')}: it works from words alone ("${action}").`,
  )
}

/** The plain name of the field that a missing file would come in. */
function paramOf(words: string): string {
  if (words.includes('image')) return 'image'
  return words.includes('audio') ? 'audio' : 'video'
}

function checkPrompt({ maxPromptChars }: MediaFacts, request: MediaOperation, action: string): void {
  const { prompt } = request
  if (lacksPrompt(action, request)) throw refusal('prompt', 'The prompt is empty.')
  if (maxPromptChars === undefined || prompt.length <= maxPromptChars) return
  const length = [...prompt].length
  if (length <= maxPromptChars) return
  throw refusal('prompt', `The prompt has ${length} characters; this model takes at most ${maxPromptChars}.`)
}

/** Where one generation always makes several files, the count is a multiple of them. */
function countOf(facts: MediaFacts, { count }: MediaOperation): number {
  if (Number.isInteger(count) && count >= 1 && count <= facts.maxCount) {
    return Math.ceil(count / facts.tracks) * facts.tracks
  }
  throw refusal('count', `This model makes 1 to ${facts.maxCount} files at once, not ${count}.`)
}

function ratioOf(
  facts: MediaFacts,
  request: MediaOperation & { aspectRatio: string | undefined },
): string | undefined {
  const { aspectRatios } = facts
  const { aspectRatio } = request
  if (aspectRatio === undefined) {
    if ('size' in request && request.size !== undefined) return undefined
    return hasVisualInput(request)
      ? aspectRatios?.find(ratio => FOLLOWING.includes(ratio))
      : aspectRatios?.[0]
  }
  if (aspectRatios === undefined) return aspectRatio
  const folded = aspectRatio.toLowerCase()
  const found = aspectRatios.find(ratio => ratio === folded)
  const follows = FOLLOWING.includes(folded)
    ? aspectRatios.find(ratio => FOLLOWING.includes(ratio))
    : undefined
  const allowed = found ?? follows
  if (allowed === undefined) throw unlisted('aspect_ratio', aspectRatio, aspectRatios)
  return allowed
}

function resolutionOf(
  facts: MediaFacts,
  request: MediaOperation & { resolution: string | undefined },
): string | undefined {
  const { resolutions } = facts
  const { resolution } = request
  if (resolution === undefined) {
    if ('size' in request && request.size !== undefined) return undefined
    return resolutions?.[0]
  }
  if (resolutions === undefined) return resolution
  const allowed = resolutions.find(one => sameResolution(one, resolution))
  if (allowed === undefined) throw unlisted('resolution', resolution, resolutions)
  return allowed
}

/** `4K`, `4k` and `2160p` are one size, as are `2K` and `1440p` of a video. */
function sameResolution(left: string, right: string): boolean {
  return plainResolution(left) === plainResolution(right)
}

function plainResolution(resolution: string): string {
  const folded = resolution.toLowerCase()
  return folded === '2160p' ? '4k' : folded === '1440p' ? '2k' : folded
}

/** A result that is as long as the file that goes in has no length of its own, unless the client says one. */
function durationOf(
  facts: MediaFacts,
  request: MediaOperation & { durationSeconds: number | undefined },
  action: string,
): number | undefined {
  const { durationsSeconds, durationRangeSeconds: range, defaultDurationSeconds } = facts
  const { durationSeconds } = request
  if (durationSeconds === undefined) {
    if (followsInput(action, request.operation)) return undefined
    return defaultDurationSeconds ?? durationsSeconds?.[0] ?? range?.min
  }
  if (!Number.isFinite(durationSeconds) || durationSeconds <= 0) {
    throw refusal('duration', 'A duration is a number of seconds above 0.')
  }
  if (durationsSeconds !== undefined && !durationsSeconds.includes(durationSeconds)) {
    throw unlisted('duration', durationSeconds, durationsSeconds)
  }
  if (range !== undefined && (durationSeconds < range.min || durationSeconds > range.max)) {
    throw refusal(
      'duration',
      `This model takes ${range.min} to ${range.max} seconds, not ${durationSeconds}.`,
    )
  }
  return durationSeconds
}

function unlisted(
  param: string,
  given: string | number,
  allowed: readonly (string | number)[],
): GatewayError {
  return refusal(
    param,
    `${param} "${String(given).slice(0, 40)}" is not one that this model takes: ${allowed.join(', ')}.`,
  )
}

function refusal(param: string, message: string): GatewayError {
  return new GatewayError('invalid_request', message, { param })
}
