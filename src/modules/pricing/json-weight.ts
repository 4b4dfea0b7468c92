/** How many bytes a JSON value may take at most once a vendor has written it into a prompt. */

/** A colon, a comma, a space or a line break beside each value, and the quotes of a string. */
const PUNCTUATION = 4
/** The longest a double is written in decimal (`-1.2345678901234567e-308`). */
const LONGEST_NUMBER = 25

/**
 * An upper bound of the length of the value as JSON in plain ASCII (`é` as `\u00e9`), the longest form vendors
 * render; spaces of indentation are not counted, a run of them being one token. Any depth is safe: it does not
 * recurse. Stops counting soon after `ceiling`, so that an endless body costs no more than a full context.
 */
export function jsonWeight(value: unknown, ceiling: number): number {
  const pending: object[] = []
  let total = 0
  const add = (item: unknown) => {
    if (typeof item !== 'object' || item === null) total += leafWeight(item, ceiling)
    else {
      total += PUNCTUATION
      pending.push(item)
    }
  }
  add(value)
  while (total <= ceiling) {
    const node = pending.pop()
    if (node === undefined) break
    if (Array.isArray(node)) {
      for (let index = 0; index < node.length && total <= ceiling; index++) add(node[index])
      continue
    }
    const fields = node as Readonly<Record<string, unknown>>
    for (const name in fields) {
      if (total > ceiling) break
      total += escapedLength(name, ceiling) + PUNCTUATION
      add(fields[name])
    }
  }
  return total
}

function leafWeight(item: unknown, ceiling: number): number {
  if (typeof item === 'string') return escapedLength(item, ceiling) + PUNCTUATION
  if (typeof item !== 'number') return 5 + PUNCTUATION
  const short = Number.isInteger(item) && item > -100 && item < 1000
  return (short ? 3 : LONGEST_NUMBER) + PUNCTUATION
}

/** The most characters the text takes inside a JSON string: 1 plain, 2 for quotes and backslashes, else 6. */
export function escapedLength(text: string, ceiling: number): number {
  let length = 0
  for (let index = 0; index < text.length && length <= ceiling; index++) {
    const code = text.charCodeAt(index)
    if (code < 0x20 || code > 0x7e) length += 6
    else length += code === 0x22 || code === 0x5c ? 2 : 1
  }
  return length
}
