/** Gives a vendor a file before the create call that names it. */
import { ProviderFailure } from '#spec/provider.ts'
import type { TaskContext } from '#spec/task-provider.ts'
import { type Address, allowedAddress, ownAddress } from './address.ts'
import { fieldsOf } from './body-fields.ts'
import type { UploadRule } from './call-rules.ts'
import { encodeMultipart, type FilePart } from './multipart.ts'
import { readText } from './read-answer.ts'
import { failureOfRefusal } from './task-failure.ts'
import { isSuccess, jsonBody, send, type VendorAnswer, type VendorLine } from './vendor-line.ts'

/**
 * The vendor's name for the file. Throws a ProviderFailure of a kind that is known not to have started anything: the create
 * call has not been sent.
 */
export async function uploadInput(
  line: VendorLine,
  rule: UploadRule,
  file: FilePart,
  context: TaskContext,
): Promise<string> {
  const { bytes, contentType, fileName } = file
  const facts = new Map(
    Object.entries({ file_name: fileName, content_type: contentType, size_bytes: bytes.byteLength }),
  )
  const fields = fieldsOf(rule.fields ?? [], facts)
  const body =
    rule.fileField === undefined ? jsonBody(fields) : encodeMultipart({ ...fields, [rule.fileField]: file })
  const answer = await attempt(line, () =>
    send(line, { method: 'POST', address: uploadAddress(line, rule), body }, context),
  )
  const reference = readText(answer.body, rule.reference)
  if (reference === undefined) throw notUploaded(line)
  if (rule.putTo === undefined) return reference
  const address = allowedAddress(
    readText(answer.body, rule.putTo) ?? '',
    line.settings.baseUrl,
    line.spec.hosts,
  )
  if (address === undefined) throw notUploaded(line)
  const put = { method: 'PUT' as const, address: { ...address, trusted: false } }
  await attempt(line, () => send(line, { ...put, body: { contentType, body: bytes } }, context))
  return reference
}

/** The vendor's other origin holds for its own base URL; a proxy or a simulator has it all in one place. */
function uploadAddress({ spec, settings }: VendorLine, { origin, path }: UploadRule): Address {
  const isDefault = settings.baseUrl === spec.defaultBaseUrl
  if (origin !== undefined && isDefault) return { url: `${origin}${path}`, trusted: true }
  return ownAddress(path, origin === undefined ? settings.baseUrl : new URL(settings.baseUrl).origin)
}

async function attempt(line: VendorLine, call: () => Promise<VendorAnswer>): Promise<VendorAnswer> {
  const answer = await call().catch(error => {
    throw error instanceof ProviderFailure ? notUploaded(line) : error
  })
  if (isSuccess(answer)) return answer
  const failure = failureOfRefusal(line.spec.title, line.spec.failure, answer.head, answer.body)
  const isKnown = ['rejected', 'credential', 'rate-limited', 'content-rejected'].includes(failure.kind)
  throw isKnown ? failure : notUploaded(line)
}

function notUploaded({ spec }: VendorLine): ProviderFailure {
  return new ProviderFailure('unavailable', `${spec.title} did not take a file`)
}
