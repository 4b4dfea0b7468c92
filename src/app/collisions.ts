/** Paths that more than one dialect claims, and how a request to one finds its claimant. The table is the whole of it. */
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import { type Collision, endpointAt, routeKey, sharedEndpoint } from '#dialect-kit/shared-endpoint.ts'
import type { Dialect } from '#spec/dialect.ts'

const NO_OPENAI_VIDEOS =
  'The Videos API of OpenAI is not emulated. Use POST /videos with "prompt", "model", "duration", "resolution" and "aspect_ratio".'

export const COLLISIONS: readonly Collision[] = [
  {
    method: 'POST',
    path: '/generate',
    rules: [
      {
        claimant: 'kie',
        anyField: [
          ...['customMode', 'instrumental', 'callBackUrl', 'style', 'title', 'negativeTags', 'personaId'],
        ],
      },
      { claimant: 'kie', fields: { model: /^V\d/ } },
      { claimant: 'imgeo', fields: { model: /\// } },
      { claimant: 'imgeo', anyField: ['negative_prompt', 'aspect_ratio', 'count', 'image'] },
      { claimant: 'imgeo', fields: { mode: /^(text2img|img2img)$/ } },
      { byKey: true },
    ],
    otherwise: 'kie',
  },
  {
    method: 'GET',
    path: '/models',
    rules: [
      { claimant: 'imgeo', query: { format: 'imgeo' } },
      { byKey: true },
      { claimant: 'openai', header: 'authorization' },
    ],
    otherwise: 'imgeo',
  },
  {
    method: 'POST',
    path: '/videos',
    rules: [
      {
        claimant: 'openai',
        anyField: ['seconds', 'size', 'input_reference'],
        refuses: NO_OPENAI_VIDEOS,
      },
      { claimant: 'openai', fields: { model: /^sora-/ }, refuses: NO_OPENAI_VIDEOS },
    ],
    otherwise: 'studio',
  },
]

/**
 * The same dialects for mounting under one prefix: what two of them claim is taken from them and served by one more, `shared`,
 * that hands each request to its claimant. Throws where two claim a method and path without a row in the table, or where a row
 * does not fit the dialects.
 */
export function settleCollisions(
  dialects: readonly Dialect[],
  collisions: readonly Collision[] = COLLISIONS,
): readonly Dialect[] {
  checkEveryCollisionHasARow(dialects, collisions)
  const taken = new Set(collisions.map(routeKey))
  const left = dialects.map(dialect => ({
    ...dialect,
    endpoints: dialect.endpoints.filter(endpoint => !taken.has(routeKey(endpoint))),
  }))
  return [...left, sharedDialect(dialects, collisions)]
}

function checkEveryCollisionHasARow(dialects: readonly Dialect[], collisions: readonly Collision[]): void {
  const settled = new Set(collisions.map(routeKey))
  const owners = new Map<string, string>()
  for (const { id, endpoints } of dialects) {
    for (const route of endpoints.map(routeKey)) {
      const other = owners.get(route)
      if (other !== undefined && !settled.has(route)) {
        throw new Error(
          `"${other}" and "${id}" both claim ${route}: say in app/collisions.ts whose a request is`,
        )
      }
      owners.set(route, id)
    }
  }
}

function sharedDialect(dialects: readonly Dialect[], collisions: readonly Collision[]): Dialect {
  return {
    id: 'shared',
    endpoints: collisions.map(collision =>
      sharedEndpoint(
        collision,
        dialects.map(dialect => ({ dialect, endpoint: endpointAt(dialect, collision) })),
      ),
    ),
    // Only what goes wrong before a body can be read is answered here: in a body that each reader finds its error in.
    renderError: ({ status, message }) =>
      jsonAnswer(status, { code: status, msg: message, data: null, success: false, error: message }),
  }
}
