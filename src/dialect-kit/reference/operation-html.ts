/** One endpoint on its page. */
import { ruleSentences } from './collision-rules.ts'
import {
  type ExampleLanguage,
  type ExampleRequest,
  exampleRequest,
  exampleText,
  PLACEHOLDER_ID,
} from './example.ts'
import { type FieldRow, fieldRows, typeText } from './fields.ts'
import { type Html, html, NOTHING, prose } from './html.ts'
import type { JsonSchema } from './json-schema.ts'
import type { Operation, Parameter, Section } from './operation.ts'
import { codeBlock } from './page.ts'

export function operationHtml(section: Section, operation: Operation, titleOf: (id: string) => string): Html {
  const { id, method, path, summary, description, isPublic, answer } = operation
  const isOver = answer.status >= 400
  return html`<article id="${id}"${isOver ? html` class="over"` : NOTHING}>
<div class="said">
<h3><a href="#${id}">${summary}</a></h3>
<p class="route"><span class="method ${method.toLowerCase()}">${method}</span> <code>${breakable(section.mounts[0] + path)}</code>${isPublic && !isOver ? html` <span class="badge">no key needed</span>` : NOTHING}</p>
${description === undefined ? NOTHING : html`<p>${prose(description)}</p>`}
${sharedNote(operation, titleOf)}
${parametersHtml('Path', operation.parameters, 'path')}
${parametersHtml('Query', operation.parameters, 'query')}
${bodyHtml(operation)}
${answerHtml(operation)}
${callbackHtml(operation)}
</div>
<div class="shown">${exampleHtml(operation, exampleRequest(section, operation))}</div>
</article>
`
}

/** With a place to break a line at before each segment. */
function breakable(path: string): Html {
  return html`${path.split(/(?=\/)/).map(segment => html`<wbr>${segment}`)}`
}

function sharedNote({ collision }: Operation, titleOf: (id: string) => string): Html {
  if (collision === undefined) return NOTHING
  const rules = ruleSentences(collision, titleOf).map(rule => html`<li>${prose(rule)}</li>`)
  return html`<details class="note"><summary>Other APIs know this path too: whose a request is</summary><p>The first that holds decides.</p><ol>${rules}</ol></details>`
}

function parametersHtml(title: string, parameters: readonly Parameter[], place: Parameter['in']): Html {
  const rows = parameters
    .filter(parameter => parameter.in === place)
    .flatMap(({ name, schema, isRequired }) =>
      fieldRows({ type: 'object', properties: { [name]: schema }, required: isRequired ? [name] : [] }),
    )
  return rows.length === 0 ? NOTHING : html`<h4>${title}</h4>${tableHtml(rows, true)}`
}

function bodyHtml({ body }: Operation): Html {
  if (body === undefined) return NOTHING
  const kind = body.contentType === 'application/json' ? 'JSON' : body.contentType
  const more =
    body.schema.additionalProperties !== false && body.schema.type === 'object'
      ? html`<p class="quiet">Fields that are not listed here are no error.</p>`
      : NOTHING
  return html`<h4>Body <span class="quiet">${kind}</span></h4>${tableHtml(fieldRows(body.schema), true)}${more}`
}

function answerHtml({ answer }: Operation): Html {
  const { status, contentType, schema, event } = answer
  const kind = contentType === 'application/json' ? typeText(schema) : contentType
  return html`<details class="answer"><summary>Answer <code>${status}</code> <span class="quiet">${kind}</span></summary>${schemaHtml(schema)}${
    event === undefined ? NOTHING : html`<h4>Each event of a stream</h4>${schemaHtml(event)}`
  }</details>`
}

function callbackHtml({ callbacks, sectionId }: Operation): Html {
  if (callbacks === undefined) return NOTHING
  const place = callbacks.urlField === undefined ? '' : ` to \`${callbacks.urlField}\``
  return html`<details class="answer"><summary>Callback${prose(place)}</summary>${schemaHtml(callbacks.schema)}<p><a href="/docs/callbacks#bodies-${sectionId}">Examples</a>, and <a href="/docs/callbacks#verifying">how to know a genuine one</a>.</p></details>`
}

export function schemaHtml(schema: JsonSchema): Html {
  const rows = fieldRows(schema)
  if (rows.length > 0) return tableHtml(rows, false)
  return html`<p>${prose(schema.description ?? typeText(schema))}</p>`
}

/** `asksFor`: what must be sent is marked. In an answer, what may be missing is. */
export function tableHtml(rows: readonly FieldRow[], asksFor: boolean): Html {
  return html`<div class="scroll"><table><thead><tr><th scope="col">Field</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead><tbody>${rows.map(row => rowHtml(row, asksFor))}</tbody></table></div>`
}

function rowHtml(row: FieldRow, asksFor: boolean): Html {
  const depth = html`class="depth-${Math.min(row.depth, 6)}"`
  if (row.kind === 'form') return html`<tr class="form"><td colspan="3" ${depth}>${prose(row.text)}</td></tr>`
  const mark =
    row.isRequired === asksFor
      ? html`<span class="${asksFor ? 'required' : 'quiet'}">${asksFor ? 'required' : 'optional'}</span>`
      : NOTHING
  return html`<tr><td ${depth}><code>${row.name}</code> ${mark}</td><td>${row.type}${row.isNullable && !asksFor ? ' or null' : ''}</td><td>${prose(row.notes.join(' '))}</td></tr>`
}

const LANGUAGES: readonly (readonly [ExampleLanguage, string])[] = [
  ['curl', 'curl'],
  ['javascript', 'JavaScript'],
  ['python', 'Python'],
]

/** Radio buttons choose the language: they need no script. */
function exampleHtml({ id }: Operation, request: ExampleRequest): Html {
  const choices = LANGUAGES.map(
    ([language, name], index) =>
      html`<input type="radio" name="language-${id}" id="${language}-${id}" class="pick-${language}"${index === 0 ? html` checked` : NOTHING}><label for="${language}-${id}">${name}</label>`,
  )
  const texts = LANGUAGES.map(
    ([language, name]) =>
      html`<div class="text-${language}">${codeBlock(exampleText(language, request), `Example in ${name}`)}</div>`,
  )
  return html`<fieldset class="example"><legend>Example</legend>${choices}${texts}</fieldset>${idNote(request)}`
}

function idNote(request: ExampleRequest): Html {
  const [found] = (request.url + JSON.stringify(request.body ?? null)).match(PLACEHOLDER_ID) ?? []
  if (found === undefined) return NOTHING
  const meaning = found.startsWith('req_')
    ? 'the `x-request-id` of a call of yours'
    : 'the id that your own call answered'
  return html`<p class="quiet">${prose(`Put ${meaning} in place of \`${found.slice(0, 12)}…\`.`)}</p>`
}
