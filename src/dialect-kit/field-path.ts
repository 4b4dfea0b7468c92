/** How a field of a client's body is named in an error: `messages[0].content`. */

export type PathStep = string | number

const PLAIN_NAME = /^[A-Za-z_$][\w$-]*$/
const LONGEST_NAME = 60

/** Writes a path in the client's spelling. Odd names are quoted and long ones cut: they are the client's own text. */
export function fieldPath(steps: readonly PropertyKey[]): string {
  let path = ''
  for (const step of steps) {
    if (typeof step === 'number') path += `[${step}]`
    else path += named(String(step), path === '')
  }
  return path
}

function named(name: string, first: boolean): string {
  const short = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name
  if (PLAIN_NAME.test(name)) return first ? short : `.${short}`
  return `[${JSON.stringify(short.replaceAll('\0', '\\0'))}]`
}

/** The value at the path, or `undefined` where the path ends early. */
export function valueAt(root: unknown, steps: readonly PropertyKey[]): unknown {
  let value = root
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<PropertyKey, unknown>)[step]
  }
  return value
}
