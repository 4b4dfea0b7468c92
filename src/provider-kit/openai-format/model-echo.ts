/** The vendor's name of the model, replaced by the one the client used, byte for byte. */

/**
 * Learns from one event how the vendor writes its `"model"`, and replaces exactly that from then on. Where the
 * names are the same nothing is touched. Texts are latin1, so that every other byte stays as it came.
 */
export class ModelEcho {
  readonly #wanted: string
  readonly #wantedBytes: string
  #token: string | undefined
  #replacement = ''

  constructor(wanted: string) {
    this.#wanted = wanted
    this.#wantedBytes = Buffer.from(JSON.stringify(wanted)).toString('latin1')
  }

  /** `parse` reads the first event of the text: called for the first, and whenever the vendor changes the name. */
  apply(text: string, parse: () => Readonly<Record<string, unknown>> | undefined): string {
    if (this.#token === '') return text
    const replaced = this.#replace(text)
    if (replaced !== text) return replaced
    this.#learn(text, parse())
    return this.#replace(text)
  }

  #replace(text: string): string {
    return this.#token === undefined || this.#token === ''
      ? text
      : text.replaceAll(this.#token, this.#replacement)
  }

  /** An empty token stands for a name that needs no replacing. */
  #learn(text: string, event: Readonly<Record<string, unknown>> | undefined): void {
    const served = event?.model
    if (typeof served !== 'string') return
    if (served === this.#wanted) {
      this.#token = ''
      return
    }
    for (const match of text.matchAll(/("model"\s*:\s*)("(?:[^"\\]|\\.)*")/g)) {
      const [token, key = '', value = ''] = match
      if (decoded(value) !== served) continue
      this.#token = token
      // A `$` would be read as a pattern.
      this.#replacement = (key + this.#wantedBytes).replaceAll('$', '$$$$')
      return
    }
  }
}

function decoded(value: string): unknown {
  return JSON.parse(Buffer.from(value, 'latin1').toString('utf8'))
}
