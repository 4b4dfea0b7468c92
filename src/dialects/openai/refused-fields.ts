/**
 * Top-level fields that are never passed on, and why. Every other unknown field travels untouched on the
 * lossless lane, so a field belongs here when passing it on would send a call somewhere else, cost what no price
 * in the catalogue covers, or reach into the operator's account at a vendor.
 */
import { GatewayError } from '#spec/errors.ts'

const OUR_CREDENTIALS =
  'credentials and hosts are set by the operator and never taken from a request. Remove this field'
const OUR_ROUTING =
  "which provider serves a model is decided by the catalogue. Name one model in 'model' and remove this field"
const SDK_OPTION = 'it is an option of the SDK and not a field of the body. Remove it'

/** Compared without case, `_` and `-`, so `baseURL` is `base_url`. */
const UNSAFE: ReadonlyMap<string, string> = new Map([
  ...[
    ...['apibase', 'baseurl', 'apiurl', 'endpoint', 'endpointurl', 'host', 'hostname', 'proxy', 'proxies'],
    ...[
      'apikey',
      'apikeys',
      'apiversion',
      'authorization',
      'accesstoken',
      'secretkey',
      'credentials',
      'organization',
    ],
    ...[
      'awsaccesskeyid',
      'awssecretaccesskey',
      'awssessiontoken',
      'awsregionname',
      'awsbedrockruntimeendpoint',
    ],
    ...['azureadtoken', 'azureendpoint', 'vertexcredentials', 'vertexproject', 'vertexlocation'],
    ...['headers', 'extraheaders', 'defaultheaders', 'customllmprovider'],
  ].map(name => [name, OUR_CREDENTIALS] as const),
  ...['extrabody', 'extraquery', 'defaultquery'].map(name => [name, SDK_OPTION] as const),
  ...['models', 'modellist', 'route', 'provider', 'fallbacks', 'plugins'].map(
    name => [name, OUR_ROUTING] as const,
  ),
])

/** Fields of OpenAI's own format that this surface refuses. */
const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ['functions', "it is deprecated. Use 'tools'"],
  ['function_call', "it is deprecated. Use 'tool_choice'"],
  ['audio', 'audio output is not offered on this endpoint'],
  ['prediction', 'rejected predictions are billed by vendors beyond the output and have no price here'],
  ['web_search_options', 'hosted web search is billed per search and has no price here'],
])

/**
 * Throws `invalid_request` naming the first field of the body that is refused. `known` are the fields the schema
 * has already judged.
 */
export function refuseUnsafeFields(
  body: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>,
): void {
  for (const field of Object.keys(body)) {
    if (known.has(field)) continue
    const why = UNSUPPORTED.get(field) ?? UNSAFE.get(field.toLowerCase().replaceAll(/[_-]/g, ''))
    if (why !== undefined && body[field] !== null) {
      throw new GatewayError('invalid_request', `The field '${field}' is not accepted: ${why}.`, {
        param: field,
      })
    }
  }
}
