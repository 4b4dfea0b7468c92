/**
 * Whole exchanges as a client sees them, in `fixtures/`. Requests are the samples of the pages that are named; the answers
 * are ours, for one scripted task each.
 */
import { describe, expect, it } from 'vitest'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import { ACCOUNT } from './account-exchanges.fixture.ts'
import kie from './index.ts'
import { FLUX_AND_4O, JOBS, VIDEO } from './media-exchanges.fixture.ts'
import { MIDJOURNEY, OMNI } from './midjourney-exchanges.fixture.ts'
import { SUNO } from './song-exchanges.fixture.ts'
import { SCRIPT } from './test-script.ts'

const ALL = [...FLUX_AND_4O, ...JOBS, ...VIDEO, ...MIDJOURNEY, ...OMNI, ...SUNO, ...ACCOUNT]

describe.each(ALL)('a client sees exactly', exchange => {
  it(`fixtures/${exchange.name}.http`, async () => {
    const { name, page, request, body, script, dialect = kie } = exchange
    const [method = '', url = ''] = request.split(' ')
    const text = body === undefined ? undefined : JSON.stringify(body, null, 2)
    const gateway = new ScriptedGateway({ ...SCRIPT, ...script })
    const headers = { authorization: `Bearer ${GOOD_KEY}` }
    const answer = await serveInMemory(dialect, gateway, { method, url, headers, body: text })
    const shown = indented(answer.body.toString())
    await expect(
      `# docs.kie.ai/${page}\n${request}\n\n${text === undefined ? '' : `${text}\n\n`}${answer.status}\ncontent-type: ${answer.contentType}\n\n${shown}\n`,
    ).toMatchFileSnapshot(`fixtures/${name}.http`)
  })
})

/** The answer's own text, one field a line: parsing it would turn exact amounts into floats. */
function indented(json: string): string {
  let depth = 0
  return json.replaceAll(/"(?:[^"\\]|\\.)*"|[{[]\]?\}?|[}\]]|,|:/g, token => {
    if (token === '[]' || token === '{}') return token
    if (token === '{' || token === '[') return `${token}\n${'  '.repeat(++depth)}`
    if (token === '}' || token === ']') return `\n${'  '.repeat(--depth)}${token}`
    if (token === ',') return `,\n${'  '.repeat(depth)}`
    return token === ':' ? ': ' : token
  })
}
