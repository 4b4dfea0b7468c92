/**
 * The rules of the house, checked over the source tree (ARCHITECTURE.md, "Who may import whom"). Prints each breach
 * as `file: what is wrong: what to do`, and exits with 1 where there is one. Runs with the tests.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import process from 'node:process'

const ROOT = resolve(import.meta.dirname, '..')
const SOURCE = join(ROOT, 'src')

interface Ring {
  /** Rings that may be imported besides one's own folder. */
  readonly rings: readonly string[]
  /** Packages from npm; anything from `node:` is allowed everywhere. */
  readonly packages: readonly string[]
  /** Where each folder is a room of its own that no other room of the ring may import. */
  readonly hasRooms?: boolean
}

/** Every arrow points down to spec. */
export const RINGS: Readonly<Record<string, Ring>> = {
  lib: { rings: [], packages: [] },
  spec: { rings: ['lib'], packages: ['zod'] },
  'dialect-kit': { rings: ['spec', 'lib'], packages: ['zod'] },
  'provider-kit': { rings: ['spec', 'lib'], packages: ['zod'] },
  dialects: { rings: ['dialect-kit', 'spec', 'lib'], packages: ['zod'], hasRooms: true },
  // The sandbox is its own vendor: it draws and encodes.
  providers: {
    rings: ['provider-kit', 'spec', 'lib'],
    packages: ['zod', 'sharp', 'h264-mp4-encoder', 'wasm-media-encoders'],
    hasRooms: true,
  },
  modules: { rings: ['spec', 'lib'], packages: ['zod'], hasRooms: true },
  gateway: { rings: ['modules', 'spec', 'lib'], packages: [] },
  http: { rings: ['dialect-kit', 'spec', 'lib'], packages: ['fastify', 'ipaddr.js'] },
  platform: {
    rings: ['spec', 'lib'],
    packages: [
      'pg',
      'undici',
      'iovalkey',
      'pino',
      'prom-client',
      '@aws-sdk/client-s3',
      'sharp',
      'meshoptimizer',
    ],
  },
  app: {
    rings: [
      'gateway',
      'modules',
      'dialects',
      'providers',
      'http',
      'platform',
      'dialect-kit',
      'provider-kit',
      'spec',
      'lib',
    ],
    packages: ['zod'],
  },
  testing: { rings: ['*'], packages: ['*'] },
}

/** A file that tests others may use what it needs. */
const TEST_FILE = /\.(test|suite|fixture)\.ts$/
/** What a module's SQL may import on top. */
const SQL_FILE = /\.pg\.ts$/
const FORBIDDEN_NAMES = new Set([
  'utils',
  'helpers',
  'common',
  'misc',
  'shared',
  'types',
  'constants',
  'base',
  'manager',
])

interface SourceFile {
  /** From the root, with forward slashes. */
  readonly path: string
  readonly text: string
}

/** Everything that is wrong with the files, as sentences. */
export function breaches(files: readonly SourceFile[]): string[] {
  return files.flatMap(file => [
    ...nameBreaches(file),
    ...importBreaches(file),
    ...environmentBreaches(file),
    ...vendorBreaches(file),
  ])
}

function nameBreaches({ path }: SourceFile): string[] {
  const name = path.split('/').at(-1)?.split('.')[0] ?? ''
  if (!FORBIDDEN_NAMES.has(name)) return []
  return [`${path}: "${name}" names no thing: find the noun of what is in it`]
}

const IMPORT =
  /^\s*(?:import|export)\s[^'"`]*?from\s+['"]([^'"]+)['"]|^\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm

function importBreaches(file: SourceFile): string[] {
  const from = placeOf(file.path)
  if (from === undefined || TEST_FILE.test(file.path) || from.ring === 'testing') return []
  const ring = RINGS[from.ring]
  if (ring === undefined)
    return [`${file.path}: src/${from.ring} is no ring: add it to scripts/house.ts with what it may import`]
  return [...file.text.matchAll(IMPORT)].flatMap(match => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? ''
    const reason = refusal(file.path, from, ring, specifier)
    return reason === undefined ? [] : [`${file.path}: imports ${specifier}: ${reason}`]
  })
}

interface Place {
  readonly ring: string
  readonly room: string | undefined
}

function placeOf(path: string): Place | undefined {
  const [source, ring, room, ...rest] = path.split('/')
  if (source !== 'src' || ring === undefined || room === undefined) return undefined
  return { ring, room: rest.length > 0 ? room : undefined }
}

/** Why the import is not allowed; `undefined` where it is. */
function refusal(path: string, from: Place, ring: Ring, specifier: string): string | undefined {
  if (specifier.startsWith('node:')) return undefined
  const target = targetOf(path, specifier)
  if (target === undefined) {
    const name = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/')
    return ring.packages.includes(name)
      ? undefined
      : `src/${from.ring} may not use this package: put it behind a port in platform/`
  }
  const to = placeOf(target)
  if (to === undefined) return 'it is outside src/'
  if (to.ring === from.ring) {
    const isOtherRoom = ring.hasRooms === true && to.room !== from.room
    return isOtherRoom
      ? 'siblings never import siblings: say it in spec/, or let the gateway join them'
      : undefined
  }
  if (from.ring === 'modules' && SQL_FILE.test(path) && target.startsWith('src/platform/postgres/'))
    return undefined
  if (from.ring === 'modules' && isTypeOfPostgres(target)) return undefined
  if (!ring.rings.includes(to.ring))
    return `src/${from.ring} may import only ${ring.rings.join(', ') || 'nothing'}`
  const needsDoor = to.ring === 'modules' && !target.endsWith('/index.ts')
  return needsDoor ? 'a module is entered by its index.ts' : undefined
}

/** A module's door names the connections it is given; the types of a port cost nothing at run time. */
function isTypeOfPostgres(target: string): boolean {
  return target === 'src/platform/postgres/database.ts' || target === 'src/platform/postgres/lane.ts'
}

function targetOf(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('#')) return `src/${specifier.slice(1)}`
  if (!specifier.startsWith('.')) return undefined
  return relative(ROOT, resolve(ROOT, path, '..', specifier)).replaceAll('\\', '/')
}

function environmentBreaches({ path, text }: SourceFile): string[] {
  const mayRead = path === 'src/app/config.ts' || path.startsWith('src/testing/') || TEST_FILE.test(path)
  if (mayRead || !path.startsWith('src/') || !/\bprocess\.env\b/.test(text)) return []
  return [`${path}: reads process.env: only src/app/config.ts does; take the value as a parameter`]
}

/** The inner rings know no vendor and no dialect by name. */
const NAMELESS = /^src\/(gateway|modules|spec|http|dialect-kit)\//

function vendorBreaches({ path, text }: SourceFile): string[] {
  if (!NAMELESS.test(path) || TEST_FILE.test(path)) return []
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
  const named = roomNames().filter(name => new RegExp(`['"\`]${name}['"\`]`).test(code))
  return named.map(name => `${path}: names "${name}": only its own folder and app/registry.ts may`)
}

let names: readonly string[] | undefined

/** Every dialect and provider, by its folder; the sandbox is the one provider that test mode itself is about. */
function roomNames(): readonly string[] {
  if (names === undefined) {
    const folders = ['dialects', 'providers'].flatMap(ring =>
      readdirSync(join(SOURCE, ring), { withFileTypes: true }),
    )
    const rooms = folders.filter(entry => entry.isDirectory() && entry.name !== 'sandbox')
    names = [...new Set(rooms.map(entry => entry.name))]
  }
  return names
}

/** All TypeScript of src/. */
function sourceFiles(): SourceFile[] {
  return readdirSync(SOURCE, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
    .map(entry => join(entry.parentPath, entry.name))
    .map(path => ({ path: relative(ROOT, path).replaceAll('\\', '/'), text: readFileSync(path, 'utf8') }))
}

if (import.meta.main) {
  const found = breaches(sourceFiles())
  for (const breach of found) process.stderr.write(`${breach}\n`)
  process.exitCode = found.length === 0 ? 0 : 1
}
