/** Files of a request on their way into a body: named where they will be, then put there in the vendor's form. */
import type { Json } from '#spec/json.ts'
import type { InputRole } from '#spec/media.ts'
import type { ResolvedInput, StartRequest } from '#spec/task-provider.ts'
import { isRecord } from '../classify.ts'
import type { FileForm } from './call-rules.ts'
import type { FilePart } from './multipart.ts'

/** One file of a request. */
export interface InputFile {
  readonly role: InputRole
  /** What is put in a field: the address or data URI itself, or a name that `withFiles` puts the file in the place of. */
  readonly url: string
}

export interface PlacedFile extends InputFile {
  readonly form: FileForm
  readonly input: ResolvedInput
}

/** In the order in which they find their places: what can go to few fields first. */
const ROLE_ORDER: readonly InputRole[] = [
  'mask',
  'first_frame',
  'last_frame',
  'reference_image',
  'reference_video',
  'reference_audio',
  'image',
  'video',
  'audio',
]

/** A name for a file is made of the attempt's own reference: nothing that a client sent can be taken for it. */
export function filesOf(start: StartRequest, forms: readonly FileForm[]): readonly PlacedFile[] {
  return start.inputs
    .map((input, number): PlacedFile => {
      const form = formOf(input, forms)
      const isText = form === 'url' || form === 'data-uri'
      return { role: input.role, url: isText ? input.url : `file:${start.reference}:${number}`, form, input }
    })
    .toSorted((one, other) => ROLE_ORDER.indexOf(one.role) - ROLE_ORDER.indexOf(other.role))
}

function formOf({ url }: ResolvedInput, forms: readonly FileForm[]): FileForm {
  if (/^https?:/i.test(url) && forms.includes('url')) return 'url'
  if (url.startsWith('data:') && forms.includes('data-uri')) return 'data-uri'
  return forms.find(form => form !== 'url' && form !== 'data-uri') ?? 'url'
}

/** A body whose places for files are filled; bytes are there where it is multipart. */
export type FilledBody = Readonly<Record<string, Filled>>
export type Filled = Json | FilePart | readonly (Json | FilePart)[]

/** `upload` gives the vendor a file, and gives its name for it. */
export async function withFiles(
  body: Readonly<Record<string, Json>>,
  files: readonly PlacedFile[],
  isMultipart: boolean,
  upload: (file: FilePart) => Promise<string>,
): Promise<FilledBody> {
  const filled = new Map<string, Json | FilePart>()
  for (const file of files) {
    if (file.form === 'url' || file.form === 'data-uri') continue
    filled.set(file.url, await inForm(file, isMultipart, upload))
  }
  if (filled.size === 0) return body
  const fill = (value: Json): Filled => {
    if (typeof value === 'string') return filled.get(value) ?? value
    if (Array.isArray(value)) return value.map(fill) as Filled
    if (!isRecord(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, fill(inner as Json)]),
    ) as Filled
  }
  return fill(body) as FilledBody
}

async function inForm(
  { form, input }: PlacedFile,
  isMultipart: boolean,
  upload: (file: FilePart) => Promise<string>,
): Promise<Json | FilePart> {
  const bytes = await input.read()
  const { contentType, role } = input
  const file = { bytes, contentType, fileName: fileNameOf(role, contentType) }
  if (form === 'upload') return upload(file)
  if (form === 'bytes' && isMultipart) return file
  const base64 = Buffer.from(bytes).toString('base64')
  return form === 'bare-base64' ? base64 : `data:${contentType};base64,${base64}`
}

/** Vendors tell types by a name's ending more often than by the part's type. */
function fileNameOf(role: InputRole, contentType: string): string {
  const subtype = /^\w+\/(?:x-)?([\w-]+)/.exec(contentType)?.[1] ?? 'bin'
  const endings: Readonly<Record<string, string>> = {
    jpeg: 'jpg',
    quicktime: 'mov',
    mpeg: 'mp3',
    octet: 'bin',
  }
  return `${role.replaceAll('_', '-')}.${endings[subtype] ?? subtype}`
}
