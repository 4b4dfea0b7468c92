/** The page of one dialect: its endpoints by tag, and its errors. */
import { type Html, html, NOTHING, prose } from './html.ts'
import type { Operation, Section } from './operation.ts'
import { operationHtml } from './operation-html.ts'
import { codeBlock, pageHtml } from './page.ts'

export function sectionPage(section: Section, sections: readonly Section[]): string {
  const titleOf = (id: string) => sections.find(other => other.id === id)?.title ?? id
  const groups = [...Map.groupBy(section.operations, ({ tag }) => tag)]
  const main = html`<h1>${section.title}</h1>
<p class="lead">${prose(section.summary)}</p>
<p>${mountsText(section)}</p>
${groups.map(
  ([
    tag,
    operations,
  ]) => html`<section aria-labelledby="${anchorOf(tag)}"><h2 id="${anchorOf(tag)}">${tag}</h2>
${operations.map(operation => operationHtml(section, operation, titleOf))}</section>`,
)}
${errorsHtml(section)}`
  return pageHtml({
    title: `${section.title} · Tollgate API`,
    here: section.id,
    sections,
    contents: contentsHtml(groups),
    main,
  })
}

function mountsText({ mounts }: Section): Html {
  const [first, ...others] = mounts.map(mount => html`<code>${mount}</code>`)
  if (first === undefined) return NOTHING
  return others.length === 0
    ? html`Served under ${first}.`
    : html`Served under ${first}, and the same under ${others}.`
}

function anchorOf(tag: string): string {
  return `tag-${tag.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`
}

function contentsHtml(groups: readonly (readonly [string, readonly Operation[]])[]): Html {
  const lists = groups.map(
    ([tag, operations]) =>
      html`<li><a class="tag" href="#${anchorOf(tag)}">${tag}</a><ul>${operations.filter(isServed).map(linkHtml)}</ul></li>`,
  )
  return html`<ul class="contents">${lists}<li><a class="tag" href="#errors">Errors</a></li></ul>`
}

/** What only ever answers an error is described, and not listed. */
function isServed({ answer }: Operation): boolean {
  return answer.status < 400
}

function linkHtml({ id, method, summary }: Operation): Html {
  return html`<li><a href="#${id}"><span class="method ${method.toLowerCase()}">${method}</span> ${summary}</a></li>`
}

function errorsHtml({ errors }: Section): Html {
  const hasOwnCodes = errors.facts.some(({ bodyCode }) => bodyCode !== undefined)
  const rows = errors.facts.map(
    ({ code, status, bodyCode, meaning }) =>
      html`<tr><td><code>${code}</code></td><td>${status}</td>${
        hasOwnCodes ? html`<td>${bodyCode ?? ''}</td>` : NOTHING
      }<td>${prose(meaning)}</td></tr>`,
  )
  return html`<section aria-labelledby="errors"><h2 id="errors">Errors</h2>
<p>Where several apply, the first of the table is the answer. A body, here of a balance that is too small:</p>
${codeBlock(JSON.stringify(errors.sample, null, 2), 'The body of an error')}
<details><summary>Every error, with its status here</summary><div class="scroll"><table><thead><tr><th scope="col">Error</th><th scope="col">HTTP status</th>${
    hasOwnCodes ? html`<th scope="col"><code>code</code></th>` : NOTHING
  }<th scope="col">Meaning</th></tr></thead><tbody>${rows}</tbody></table></div></details></section>`
}
