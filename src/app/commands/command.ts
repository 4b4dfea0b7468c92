/** What a command is, and how its words are read. */
import process from 'node:process'
import { type ParseArgsOptionDescriptor, parseArgs } from 'node:util'
import type { Workspace } from '#modules/accounts/index.ts'
import type { Mode } from '#spec/account.ts'
import { creditsOf, nanoUsdFromCredits } from '#spec/money.ts'
import type { Wired } from '../wire.ts'

/** The words were not understood; the message says which. Exit code 2. */
export class UsageError extends Error {}

export interface Command {
  /** As it is typed: `key create`. */
  readonly name: string
  readonly summary: string
  /** One line that can be run as it is. */
  readonly example: string
  /** Words after the name that are no options, for the help: `<key id>`. */
  readonly operands?: string
  readonly options?: Readonly<Record<string, CommandOption>>
  /** Returns what is printed and, where it is not 0, the exit code. */
  run(words: Words, wired: Wired): Promise<Outcome>
}

export interface CommandOption extends ParseArgsOptionDescriptor {
  readonly help: string
}

export interface Outcome {
  /** Printed with `--json`. bigint is printed as text. */
  readonly json: unknown
  /** Printed without. */
  readonly text: string
  readonly exitCode?: number
}

/** The words of one command, read. */
export class Words {
  readonly operands: readonly string[]
  readonly #values: Readonly<Record<string, string | boolean | undefined>>

  constructor(operands: readonly string[], values: Readonly<Record<string, string | boolean | undefined>>) {
    this.operands = operands
    this.#values = values
  }

  text(name: string): string | undefined {
    const value = this.#values[name]
    return typeof value === 'string' ? value : undefined
  }

  flag(name: string): boolean {
    return this.#values[name] === true
  }

  required(name: string): string {
    const value = this.text(name)
    if (value === undefined) throw new UsageError(`--${name} is missing`)
    return value
  }

  operand(position: number, what: string): string {
    const operand = this.operands[position]
    if (operand === undefined) throw new UsageError(`${what} is missing`)
    return operand
  }

  mode(fallback: Mode | undefined): Mode {
    const value = this.text('mode') ?? fallback
    if (value === 'live' || value === 'test') return value
    throw new UsageError('--mode must be live or test')
  }

  /** Credits into nano-dollars; `none` into null, which removes a cap. */
  cap(name: string, wired: Wired): bigint | null | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    return value === 'none' ? null : this.#credits(name, value, wired)
  }

  credits(name: string, wired: Wired): bigint {
    return this.#credits(name, this.required(name), wired)
  }

  #credits(name: string, value: string, wired: Wired): bigint {
    try {
      const nanoUsd = nanoUsdFromCredits(value, wired.config.credits)
      if (nanoUsd >= 0n) return nanoUsd
    } catch {
      // Said below.
    }
    throw new UsageError(`--${name}: "${value}" is not a number of credits such as 50 or 0.25`)
  }
}

const COMMON: Readonly<Record<string, CommandOption>> = {
  json: { type: 'boolean', help: 'print JSON' },
  help: { type: 'boolean', help: 'print this' },
}

/** Reads the words after a command's name. Throws UsageError. */
export function readWords(command: Command, argv: readonly string[]): Words {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: { ...COMMON, ...command.options },
      allowPositionals: true,
    })
    return new Words(positionals, values as Record<string, string | boolean | undefined>)
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

export function helpOf(command: Command): string {
  const options = Object.entries({ ...command.options, ...COMMON })
  const width = Math.max(...options.map(([name, option]) => heading(name, option).length))
  return [
    command.summary,
    '',
    `  npx tollgate ${command.name}${command.operands ? ` ${command.operands}` : ''} [options]`,
    '',
    ...options.map(([name, option]) => `  ${heading(name, option).padEnd(width)}  ${option.help}`),
    '',
    'Example:',
    `  ${command.example}`,
  ].join('\n')
}

function heading(name: string, option: CommandOption): string {
  return option.type === 'string' ? `--${name} …` : `--${name}`
}

/** The workspace of `--workspace`, or the first there is. */
export async function workspaceOf(words: Words, wired: Wired): Promise<Workspace> {
  const name = words.text('workspace')
  const found =
    name === undefined
      ? (await wired.accounts.listWorkspaces({ limit: 1 }))[0]
      : await wired.accounts.findWorkspace(name)
  if (found) return found
  throw new UsageError(
    name === undefined
      ? 'there is no workspace yet: start the server once, or make one with "workspace create"'
      : `there is no workspace "${name}"`,
  )
}

/** How many rows `--limit` asks for. */
export function limitOf(words: Words, fallback: number): number {
  const limit = Number(words.text('limit') ?? fallback)
  if (Number.isInteger(limit) && limit >= 1 && limit <= 10_000) return limit
  throw new UsageError('--limit must be 1 to 10000')
}

export const WORKSPACE_OPTION: CommandOption = {
  type: 'string',
  help: 'its name or id; the first one if left out',
}
export const MODE_OPTION: CommandOption = { type: 'string', help: 'live or test' }

/** Nano-dollars as credits, for a screen. */
export function shown(nanoUsd: bigint | undefined, wired: Wired): string {
  return nanoUsd === undefined ? '-' : creditsOf(nanoUsd, wired.config.credits)
}

/** Rows as aligned columns. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map(row => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [line(head), ...rows.map(line)].join('\n')
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
