/** Vectors as OpenAI writes them: an array of numbers, or base64 of little-endian float32. */
import { GatewayError } from '#spec/errors.ts'

const BYTES_PER_FLOAT = 4

/** The vector as base64; one that already is base64 is returned as it is. */
export function base64OfVector(vector: readonly number[] | string): string {
  if (typeof vector === 'string') return vector
  const bytes = Buffer.allocUnsafe(vector.length * BYTES_PER_FLOAT)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let index = 0; index < vector.length; index++) {
    view.setFloat32(index * BYTES_PER_FLOAT, vector[index] ?? 0, true)
  }
  return bytes.toString('base64')
}

/** The vector as numbers. Throws `upstream_error` where base64 is not a whole number of floats. */
export function vectorOfBase64(vector: readonly number[] | string): readonly number[] {
  if (typeof vector !== 'string') return vector
  const bytes = Buffer.from(vector, 'base64')
  if (bytes.length % BYTES_PER_FLOAT !== 0) {
    throw new GatewayError('upstream_error', 'The provider answered with an embedding that cannot be read.')
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: bytes.length / BYTES_PER_FLOAT }, (_, index) =>
    view.getFloat32(index * BYTES_PER_FLOAT, true),
  )
}
