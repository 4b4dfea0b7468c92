/** The simulated OpenAI vendor, as the conformance suite wants a vendor. */

import type { Circumstance } from '#provider-kit/conformance/calls.ts'
import type { SimulatedVendor } from '#provider-kit/conformance.suite.ts'
import type { Fault } from './openai/faults.ts'
import { type OpenAiUpstreamOptions, startOpenAiUpstream } from './openai.ts'

const FAULT_FOR: Readonly<Record<Circumstance, Fault | 'cached=3' | undefined>> = {
  answers: undefined,
  'hits its rate limit': 'rate429',
  'has no quota left': 'quota429',
  'refuses the credential': 'error401',
  fails: 'error500',
  'is overloaded': 'error503',
  'refuses the request': 'error400',
  'finds the request too long': 'context-length',
  'refuses the content': 'content-policy',
  'says success and means an error': 'error-200',
  'sends no JSON': 'not-json',
  'sends a web page': 'html',
  'sends no choices': 'no-choices',
  'never answers': 'hang',
  'drops the connection': 'reset',
  'stops within the stream': 'hang-mid',
  'cuts the stream': 'cut',
  'ends the stream without a finish': 'eof',
  'sends a broken event': 'malformed',
  'sends an error event within the stream': 'error-event',
  'sends an error event first': 'error-first',
  'drips byte by byte': 'drip',
  'splits characters': 'split-utf8',
  'ends lines with CRLF': 'crlf',
  'sends comments': 'comments',
  'omits the end mark': 'no-done',
  'reports usage with the last event': 'usage-with-last',
  'reports no usage': 'no-usage',
  'reports negative usage': 'usage-negative',
  'reads from a cache': 'cached=3',
}

export async function startConformingVendor(options: OpenAiUpstreamOptions): Promise<SimulatedVendor> {
  const apiKey = 'sk-conformance-0123456789'
  const upstream = await startOpenAiUpstream({ ...options, apiKey })
  return {
    settings: { baseUrl: upstream.baseUrl, apiKey },
    prompt: circumstance => `Tell me. [[sim ${FAULT_FOR[circumstance] ?? 'tokens=16'}]]`.padEnd(60),
    bodies: () => upstream.requests().map(request => JSON.parse(request.body) as Record<string, unknown>),
    hangUps: () => upstream.meter().totals.aborted,
    reset: () => upstream.reset(),
    close: () => upstream.close(),
  }
}
