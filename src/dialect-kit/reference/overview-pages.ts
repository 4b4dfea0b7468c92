/** The pages that are about every dialect: where to begin, and the errors. */
import { BASE_URL } from './base-url.ts'
import { ruleSentences } from './collision-rules.ts'
import { exampleRequest, exampleText } from './example.ts'
import { type Html, html, NOTHING, prose } from './html.ts'
import type { ReferenceOptions, Section } from './operation.ts'
import { codeBlock, pageHtml } from './page.ts'

export function overviewPage(sections: readonly Section[], { collisions }: ReferenceOptions): string {
  const titleOf = (id: string) => sections.find(section => section.id === id)?.title ?? id
  const shared = collisions.map(
    collision => html`<h3><code>${collision.method} ${collision.path}</code></h3>
<ol>${ruleSentences(collision, titleOf).map(rule => html`<li>${prose(rule)}</li>`)}</ol>`,
  )
  const main = html`<h1>Tollgate API</h1>
<p class="lead">Every generative model behind one key and one balance. A client written for any of these APIs works here: change the host and the key.</p>
<ul class="cards">${sections.map(cardHtml)}</ul>
${basicsHtml(sections)}
${shared.length === 0 ? NOTHING : html`<h2 id="shared-paths">Paths that several APIs have</h2><p>The body of a request says whose it is. The first that holds decides.</p>${shared}`}`
  const contents = html`<ul class="contents"><li><a class="tag" href="#first-call">A first call</a></li><li><a class="tag" href="#money">Money</a></li><li><a class="tag" href="#repeats">Repeats</a></li><li><a class="tag" href="#shared-paths">Shared paths</a></li></ul>`
  return pageHtml({ title: 'Tollgate API', here: '', sections, contents, main })
}

function cardHtml({ id, title, summary, operations }: Section): Html {
  const served = operations.filter(({ answer }) => answer.status < 400).length
  return html`<li><a href="/docs/${id}"><strong>${title}</strong><span>${prose(summary)}</span><span class="quiet">${served} ${served === 1 ? 'endpoint' : 'endpoints'}</span></a></li>`
}

function basicsHtml(sections: readonly Section[]): Html {
  const [first] = sections
  const operation = first?.operations[0]
  const call =
    first === undefined || operation === undefined
      ? NOTHING
      : codeBlock(exampleText('curl', exampleRequest(first, operation)), 'A first call')
  return html`<h2 id="first-call">A first call</h2>
<p>${prose(`This server is at \`${BASE_URL}\`. Send your key as \`Authorization: Bearer …\`. A test key reaches every model, is answered by a built-in sandbox with real files, and never costs money.`)}</p>
${codeBlock('export TOLLGATE_API_KEY=sk-aig-test-…', 'Setting the key')}
${call}
<p>Every example of these pages runs as it stands, with the key in the environment. The whole of it for machines: <a href="/openapi.json">openapi.json</a>, an OpenAPI 3.1 document made from the schemas that requests are checked with.</p>
<h2 id="money">Money</h2>
<p>${prose('Every answer says what it cost in `X-AI-Credits-Charged` and what is left in `X-AI-Credits-Balance`. Failed calls cost nothing. A stream says `X-AI-Credits-Held` first; its charge is in its last usage event, in a trailer (for `TE: trailers`) and in its receipt.')}</p>
<p>${prose('`POST /v1/quote` tells what a call would cost before it is made, and `GET /v1/receipts/{id}` what it did cost, line by line; the id is in `x-request-id` of every answer.')}</p>
<h2 id="repeats">Repeats</h2>
<p>${prose('`Idempotency-Key` works on every POST: for 24 hours a repeat with the same body gets the first answer and is charged nothing. `x-should-retry: false` marks errors that a repeat would only meet again, or that could spend twice.')}</p>`
}

const RETRIES = {
  safe: 'yes',
  pointless: 'no',
  unknown: 'see its receipt first',
} as const

export function errorsPage(sections: readonly Section[]): string {
  const facts = sections[0]?.errors.facts ?? []
  const rows = facts.map(
    ({ code, meaning, retry }, index) =>
      html`<tr id="${code}"><td><code>${code}</code></td><td>${prose(meaning)}</td><td>${RETRIES[retry]}</td>${sections.map(
        ({ errors }) => html`<td>${errors.facts[index]?.status ?? ''}</td>`,
      )}</tr>`,
  )
  const main = html`<h1>Errors</h1>
<p class="lead">One list for every API; each writes them in its own shape, which its page shows.</p>
<p>Where several apply, the first of the table is the answer. The last columns are the HTTP status in each API; where that is 200 the error is in the body.</p>
<div class="scroll"><table class="wide"><thead><tr><th scope="col">Error</th><th scope="col">Meaning</th><th scope="col">Worth a retry?</th>${sections.map(
    ({ title }) => html`<th scope="col">${title}</th>`,
  )}</tr></thead><tbody>${rows}</tbody></table></div>`
  return pageHtml({ title: 'Errors · Tollgate API', here: 'errors', sections, contents: NOTHING, main })
}
