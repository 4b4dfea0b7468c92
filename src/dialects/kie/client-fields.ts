/**
 * Reads a client's fields under whichever of their spellings they came, and remembers which were read: what is left is
 * passed on as options, untouched. Everything is checked again here, because not every body has rules of its own.
 */
import { isWebUrl } from '#dialect-kit/web-url.ts'
import { GatewayError } from '#spec/errors.ts'
import type { Json, JsonObject } from '#spec/json.ts'
import type { InputRole, MediaInput } from '#spec/media.ts'

export class ClientFields {
  readonly #values: Record<string, unknown>
  readonly #prefix: string
  readonly #read = new Set<string>()

  /** `prefix` is where the fields are in the body (`input.`), for errors. */
  constructor(values: Readonly<Record<string, unknown>>, prefix = '') {
    this.#values = { ...values }
    this.#prefix = prefix
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined && this.#values[name] !== null && this.#values[name] !== ''
  }

  /** The text under the first spelling that is there. */
  text(...names: readonly string[]): string | undefined {
    const found = this.#first(names, 'a string', value => typeof value === 'string')
    return found as string | undefined
  }

  /** A number, or text that is one: clients write `"5"` and `5`. */
  number(...names: readonly string[]): number | undefined {
    const found = this.#first(names, 'a number', value => Number.isFinite(numberOf(value)))
    return found === undefined ? undefined : numberOf(found)
  }

  flag(...names: readonly string[]): boolean | undefined {
    const found = this.#first(names, 'true or false', value => typeof value === 'boolean')
    return found as boolean | undefined
  }

  /** The first spelling whose value `convert` knows; others stay among the options. `keep`: it does too. */
  convert<T>(
    names: readonly string[],
    convert: (value: unknown) => { readonly as: T; readonly keep?: boolean } | undefined,
  ): T | undefined {
    for (const name of names) {
      if (!this.has(name)) continue
      const converted = convert(this.#values[name])
      if (converted === undefined) continue
      if (converted.keep !== true) this.#read.add(name)
      return converted.as
    }
    return undefined
  }

  /** Every address under every spelling, in order; a field may hold one or a list. */
  urls(role: InputRole, ...names: readonly string[]): MediaInput[] {
    return names.flatMap(name => {
      if (!this.has(name)) return []
      this.#read.add(name)
      const value = this.#values[name]
      const param = this.#prefix + name
      if (!Array.isArray(value)) return [{ role, url: webUrl(value, param), param }]
      return value.map((item, index) => {
        const at = `${param}[${index}]`
        return { role, url: webUrl(item, at), param: at }
      })
    })
  }

  /** A field as it is, left among the options. */
  peek(name: string): unknown {
    return this.#values[name]
  }

  /** From here on these are as if they had not been sent. */
  drop(...names: readonly string[]): void {
    for (const name of names) delete this.#values[name]
  }

  /** Everything that was not read. */
  rest(): JsonObject {
    const left = Object.entries(this.#values).filter(
      ([name, value]) => !this.#read.has(name) && value !== undefined && value !== null,
    )
    return Object.fromEntries(left) as Record<string, Json>
  }

  #first(names: readonly string[], expected: string, fits: (value: unknown) => boolean): unknown | undefined {
    for (const name of names) {
      const value = this.#values[name]
      if (value === undefined || value === null) continue
      this.#read.add(name)
      if (!fits(value)) throw invalidField(this.#prefix + name, expected)
      return value
    }
    return undefined
  }
}

function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
}

/** `invalid_request` about one field, in the words of every other refusal. */
export function invalidField(param: string, expected: string): GatewayError {
  return new GatewayError('invalid_request', `Invalid '${param}': expected ${expected}.`, { param })
}

/** An http or https address, or `invalid_request`. Whether it may be fetched is decided where it is fetched. */
export function webUrl(value: unknown, param: string): string {
  if (typeof value === 'string' && isWebUrl(value.trim())) return value.trim()
  const isData = typeof value === 'string' && value.startsWith('data:')
  throw invalidField(
    param,
    isData
      ? 'an http or https address; send files to /api/file-base64-upload first and name what it gives you'
      : 'an http or https address',
  )
}
