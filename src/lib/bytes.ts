/** Numbers and letters in bytes. Every reader gives 0 or text without the missing letters past the end, and never throws. */

/** The bytes as one letter each. */
export function lettersAt(bytes: Uint8Array, start: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(start, start + length))
}

export function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) * 0x100 + (bytes[at + 1] ?? 0)
}

export function uint32(bytes: Uint8Array, at: number): number {
  return uint16(bytes, at) * 0x1_0000 + uint16(bytes, at + 2)
}

/** Above 2⁵³ it is rounded: larger than anything that is asked of it. */
export function uint64(bytes: Uint8Array, at: number): number {
  return uint32(bytes, at) * 0x1_0000_0000 + uint32(bytes, at + 4)
}

export function uint16le(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 0x100
}

export function uint24le(bytes: Uint8Array, at: number): number {
  return uint16le(bytes, at) + (bytes[at + 2] ?? 0) * 0x1_0000
}

export function uint32le(bytes: Uint8Array, at: number): number {
  return uint16le(bytes, at) + uint16le(bytes, at + 2) * 0x1_0000
}

export function uint64le(bytes: Uint8Array, at: number): number {
  return uint32le(bytes, at) + uint32le(bytes, at + 4) * 0x1_0000_0000
}
