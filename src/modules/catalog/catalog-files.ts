/** Reads the catalogue's files: JSON, checked by the schema of the spec, with errors that name file, line and field. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { catalogFileSchema, type ModelEntry } from '#spec/offering.ts'
import { type JsonPath, lineOfPath } from './json-line.ts'

/** A model entry and where it was written, for errors. */
export interface SourcedEntry {
  readonly entry: ModelEntry
  /** Path and line: `catalog/chat/openai.json:12`. */
  readonly source: string
}

/** What was read from one folder, and the bytes it was read from. */
export interface CatalogFolder {
  readonly entries: readonly SourcedEntry[]
  readonly texts: readonly string[]
  readonly problems: readonly string[]
}

/** The catalogue cannot be used. The message lists every problem, one a line, each with file, line and field. */
export class CatalogError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    const shown = problems.slice(0, 20)
    const more = problems.length - shown.length
    super(
      `The model catalogue has ${problems.length} problem(s):\n${shown.join('\n')}` +
        (more > 0 ? `\n… and ${more} more` : ''),
    )
    this.name = 'CatalogError'
    this.problems = problems
  }
}

/** A table of another kind beside the models, read by whoever prices calls. */
const NOT_MODELS = 'fixed-prices.json'

/** Every `.json` file of models under the folder, at any depth, in the order of their names. Throws CatalogError where it cannot be read. */
export function readCatalogFolder(folder: string): CatalogFolder {
  const entries: SourcedEntry[] = []
  const texts: string[] = []
  const problems: string[] = []
  for (const file of jsonFilesIn(folder)) {
    const text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '')
    texts.push(text)
    readEntries(file, text, entries, problems)
  }
  return { entries, texts, problems }
}

function jsonFilesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.json') && name !== NOT_MODELS)
      .sort()
      .map(name => join(folder, name))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CatalogError([`${folder}: the catalogue folder cannot be read (${reason})`])
  }
}

function readEntries(file: string, text: string, entries: SourcedEntry[], problems: string[]): void {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    problems.push(`${file}: not JSON: ${error instanceof Error ? error.message : String(error)}`)
    return
  }
  const result = catalogFileSchema.safeParse(parsed)
  if (!result.success) {
    for (const issue of result.error.issues) {
      const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path
      problems.push(`${file}:${lineOfPath(text, path)}: ${nameOf(parsed, path)}: ${issue.message}`)
    }
    return
  }
  result.data.models.forEach((entry, index) => {
    entries.push({
      entry,
      get source() {
        return `${file}:${lineOfPath(text, ['models', index])}`
      },
    })
  })
}

/** `models[3] (gpt-4o).offerings[0].price…`: the path, with the model's id where it has one. */
function nameOf(parsed: unknown, path: JsonPath): string {
  let name = ''
  path.forEach((step, depth) => {
    name += typeof step === 'number' ? `[${step}]` : `${depth === 0 ? '' : '.'}${String(step)}`
    if (depth === 1 && path[0] === 'models') name += idAt(parsed, Number(step))
  })
  return name === '' ? 'the file' : name
}

function idAt(parsed: unknown, index: number): string {
  const models: unknown = (parsed as { models?: unknown }).models
  const model: unknown = Array.isArray(models) ? models[index] : undefined
  const id: unknown = typeof model === 'object' && model !== null ? (model as { id?: unknown }).id : undefined
  return typeof id === 'string' ? ` (${id.slice(0, 200)})` : ''
}
