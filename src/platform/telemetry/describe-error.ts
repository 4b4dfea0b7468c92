/** What of an error may be written to the log. */

const MESSAGE_CHARS = 500
const STACK_FRAMES = 12
const CAUSES_DEEP = 4

/** An error as plain data for the log. */
export interface DescribedError {
  readonly name: string
  readonly message: string
  readonly code?: string | undefined
  readonly stack?: string | undefined
  readonly cause?: DescribedError | undefined
}

/**
 * Describes anything that was thrown: name, code, message, frames and causes, and no other property, because
 * drivers hang statements, parameters and bodies on theirs. The message of a SyntaxError quotes the text that
 * would not parse, which is a client's body or a model's output, so it is withheld; long messages are cut.
 */
export function describeError(thrown: unknown, depth = 0): DescribedError {
  if (!(thrown instanceof Error))
    return { name: typeof thrown, message: 'something that is no Error was thrown' }
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined
  return {
    name: thrown.name,
    message: thrown instanceof SyntaxError ? '(withheld)' : thrown.message.slice(0, MESSAGE_CHARS),
    code,
    stack: framesOf(thrown),
    cause:
      thrown.cause === undefined || depth >= CAUSES_DEEP ? undefined : describeError(thrown.cause, depth + 1),
  }
}

/** The stack without its first lines, which repeat the message. */
function framesOf(error: Error): string | undefined {
  const frames = error.stack?.split('\n').filter(line => line.startsWith('    at '))
  return frames?.slice(0, STACK_FRAMES).join('\n')
}
