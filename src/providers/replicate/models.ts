/** What each model takes as input: known ones from the table beside this file, others by the spellings most of them share. */
import { readFileSync } from 'node:fs'
import { type InputSignature, parseSignature, parseSignatures } from '#provider-kit/task-spec/index.ts'

const KNOWN = parseSignatures(readFileSync(new URL('./models.txt', import.meta.url), 'utf8'))
const USUAL = parseSignature(
  'prompt negative_prompt image mask video audio seed:n aspect_ratio resolution duration:n num_outputs:n<=1 text voice lyrics output_format',
)

/** The fields of `owner/name`, with or without a version. */
export function inputOf(model: string): InputSignature {
  return KNOWN.get(model.replace(/:.*$/, '')) ?? USUAL
}

/** The models of the table. */
export const KNOWN_MODELS: readonly string[] = [...KNOWN.keys()]
