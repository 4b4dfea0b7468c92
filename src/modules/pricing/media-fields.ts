/** What a request says of a field that a price depends on, as text. */
import type { MediaFacts, MediaPrice, MediaRate } from '#spec/offering.ts'
import type { MediaOperation } from '#spec/operation.ts'

/**
 * The price of a request: the first variant all of whose conditions hold, else the rate's own, which is the dearest.
 * A condition is looked up in what the offering always sends, then in the request, then in what the provider takes where
 * nothing is said.
 */
export function pricePerMillion(
  rate: MediaRate,
  request: MediaOperation,
  price: MediaPrice,
  facts: MediaFacts | undefined,
): bigint {
  const variant = rate.variants.find(({ when }) =>
    Object.entries(when).every(([name, wanted]) => matches(name, wanted, request, price, facts)),
  )
  return variant?.nanoUsdPerMillion ?? rate.nanoUsdPerMillion
}

function matches(
  name: string,
  wanted: string,
  request: MediaOperation,
  price: MediaPrice,
  facts: MediaFacts | undefined,
): boolean {
  const sent = own(price.sent, name)
  if (sent !== undefined) return plain(sent) === plain(wanted)
  const said = saidOf(name, request, facts)
  if (said.length > 0) return said.some(value => plain(value) === plain(wanted))
  const assumed = own(price.assumed, name)
  return assumed !== undefined && plain(assumed) === plain(wanted)
}

/**
 * The spellings a request gives a field in; empty where it says nothing of it. An option beside a field of ours is what the
 * client sent under a second spelling: providers send ours, so an option cannot make it cheaper.
 */
function saidOf(name: string, request: MediaOperation, facts: MediaFacts | undefined): readonly string[] {
  const typed = typedField(name, request, facts)
  const option = own(request.options, name)
  const listed: readonly unknown[] = Array.isArray(option) ? option : [option]
  const asOption = listed.filter(isScalar).map(String)
  return typed.length > 0 || OURS_ALONE.has(name) ? typed : asOption
}

/** No provider is ever sent an option of these names. */
const OURS_ALONE: ReadonlySet<string> = new Set(['texture'])

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function typedField(name: string, request: MediaOperation, facts: MediaFacts | undefined): readonly string[] {
  switch (name) {
    case 'resolution':
      return given('resolution' in request ? request.resolution : undefined)
    case 'duration':
      return given('durationSeconds' in request ? request.durationSeconds : undefined)
    case 'audio':
      return request.operation === 'video' ? given(request.audio ?? soundOf(facts)) : []
    case 'size':
    case 'image_size':
      return request.operation === 'image' ? sizeNames(name, request) : []
    case 'texture':
      return request.operation === 'mesh' ? given(request.textureQuality) : []
    case 'video_input':
      return [String(request.inputs.some(({ role }) => role === 'video' || role === 'reference_video'))]
    default:
      return []
  }
}

function given(value: string | number | boolean | undefined): readonly string[] {
  return value === undefined ? [] : [String(value)]
}

function soundOf(facts: MediaFacts | undefined): boolean | undefined {
  if (facts === undefined || facts.audio === 'optional') return undefined
  return facts.audio === 'always'
}

/** fal's names of picture sizes, by the ratios they stand for. */
const NAMED_SIZES: Readonly<Record<string, string>> = {
  '1:1': 'square_hd',
  '4:3': 'landscape_4_3',
  '3:4': 'portrait_4_3',
  '16:9': 'landscape_16_9',
  '9:16': 'portrait_16_9',
}

function sizeNames(name: string, request: MediaOperation & { operation: 'image' }): readonly string[] {
  const { size, aspectRatio, resolution } = request
  if (size !== undefined) return [`${size.widthPx}x${size.heightPx}`]
  // fal's names are of pictures of about a megapixel: a larger one of the same shape is none of them.
  if (resolution !== undefined && plain(resolution) !== '1k') return [resolution]
  const named = name === 'image_size' && aspectRatio !== undefined ? own(NAMED_SIZES, aspectRatio) : undefined
  return given(named)
}

function own<T>(values: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined
}

/** Without case, and with the two spellings of a video's size that mean the same made one. */
function plain(value: string): string {
  const folded = value.toLowerCase()
  return folded === '2160p' ? '4k' : folded === '1440p' ? '2k' : folded
}
