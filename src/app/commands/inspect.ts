/** `tollgate models` and `tollgate audit`. */
import { CHECKS } from '#modules/ledger/index.ts'
import { dollarsFromNanoUsd, UNITS_PER_PRICE, type Unit } from '#spec/money.ts'
import type { Offering } from '#spec/offering.ts'
import type { Wired } from '../wire.ts'
import { type Command, table, UsageError } from './command.ts'

export const models: Command = {
  name: 'models',
  summary: 'Lists models with their offerings and prices; those a live key can use now are marked.',
  example: 'npx tollgate models gpt',
  operands: '[part of a name]',
  async run(words, wired) {
    const part = words.operands[0]?.toLowerCase() ?? ''
    const found = wired.catalog
      .list('live')
      .filter(model => [model.id, ...model.aliases].some(name => name.toLowerCase().includes(part)))
    if (found.length === 0) throw new UsageError(`no model has "${part}" in its name`)
    const json = found.map(model => ({
      id: model.id,
      aliases: model.aliases,
      vendor: model.vendor,
      operation: model.operation,
      usable: model.offerings.some(
        offering => priceOf(offering) !== undefined && isConfigured(offering, wired),
      ),
      offerings: model.offerings.map(offering => ({
        id: offering.id,
        configured: isConfigured(offering, wired),
        price: priceOf(offering) ?? null,
      })),
    }))
    return {
      json,
      text: table(
        ['', 'model', 'offering', 'what it costs there'],
        json.flatMap(model =>
          model.offerings.map(offering => [
            offering.configured ? '*' : '',
            model.id,
            offering.id,
            offering.price ?? 'no price known: not served with a live key',
          ]),
        ),
      ),
    }
  },
}

/** Units as people quote prices, and how many of ours one of them has. */
const QUOTED: Readonly<Partial<Record<Unit, readonly [string, bigint]>>> = {
  images: ['an image', 1n],
  pixels: ['a megapixel', 1_000_000n],
  milliseconds: ['a second', 1_000n],
  characters: ['a thousand characters', 1_000n],
  generations: ['a generation', 1n],
  video_tokens: ['a million video tokens', 1_000_000n],
}

/** The price in words; `undefined` where none is known. The dearest of a media price's variants, which is what matches last. */
function priceOf({ price, mediaPrice }: Offering): string | undefined {
  if (price) {
    const [input, output] = [price.inputNanoUsd, price.outputNanoUsd].map(dollarsFromNanoUsd)
    return `$${input} in, $${output} out a million tokens`
  }
  if (!mediaPrice) return undefined
  const [name, units] = QUOTED[mediaPrice.unit] ?? [mediaPrice.unit, 1n]
  const usd = dollarsFromNanoUsd((mediaPrice.nanoUsdPerMillion * units) / UNITS_PER_PRICE)
  const variants = mediaPrice.variants.length
  return `$${usd} ${name}${variants > 0 ? ` or less (${variants} prices by what is asked)` : ''}`
}

function isConfigured(offering: Offering, wired: Wired): boolean {
  return wired.config.credentials.has(offering.provider)
}

export const audit: Command = {
  name: 'audit',
  summary: 'Checks every invariant of the ledger. Exit code 1 where one is broken.',
  example: 'npx tollgate audit --json',
  async run(_words, wired) {
    const violations = await wired.ledger.audit()
    const text =
      violations.length === 0
        ? `The ledger is whole: ${CHECKS.length} invariants hold.`
        : table(
            ['invariant', 'workspace', 'subject', 'detail'],
            violations.map(one => [one.invariant, one.workspaceId ?? '-', one.subject, one.detail]),
          )
    return {
      json: { invariants: CHECKS.map(check => check.invariant), violations },
      text,
      exitCode: violations.length === 0 ? 0 : 1,
    }
  },
}

export const migrateCommand: Command = {
  name: 'migrate',
  summary: 'Brings the database up to this version and ends. The server does it by itself at start.',
  example: 'npx tollgate migrate',
  async run() {
    return { json: { migrated: true }, text: 'The database is up to date.' }
  },
}
