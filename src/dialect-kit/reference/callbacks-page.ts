/** The page about callbacks: how they come, how to know a genuine one, and what each API's look like. */
import type { SignatureGuide } from '#spec/dialect.ts'
import { type Html, html, NOTHING, prose } from './html.ts'
import type { Section } from './operation.ts'
import { schemaHtml } from './operation-html.ts'
import { codeBlock, pageHtml } from './page.ts'
import { type ReceiverLanguage, receiverText, STANDARD_SIGNATURE } from './verify-texts.ts'

const LANGUAGES: readonly (readonly [ReceiverLanguage, string])[] = [
  ['javascript', 'JavaScript'],
  ['python', 'Python'],
]

export function callbacksPage(sections: readonly Section[]): string {
  const telling = sections.filter(({ callbacks }) => callbacks !== undefined)
  const main = html`<h1>Callbacks</h1>
<p class="lead">A signed POST about a task, when it has ended: to the address that its request named, and to every endpoint of the workspace.</p>
${COMING}
${verifyingHtml(sections)}
${ROTATING}
<h2 id="bodies">Bodies</h2>
<p>A callback is written in the API that its task was asked for in.</p>
${telling.map(bodiesHtml)}`
  const places = [
    ['coming', 'How they come'],
    ['verifying', 'Is it genuine?'],
    ['rotating', 'A new secret'],
    ['bodies', 'Bodies'],
  ] as const
  const links = places.map(([id, title]) => html`<li><a class="tag" href="#${id}">${title}</a></li>`)
  const contents = html`<ul class="contents">${links}</ul>`
  return pageHtml({ title: 'Callbacks · Tollgate API', here: 'callbacks', sections, contents, main })
}

const COMING = html`<h2 id="coming">How they come</h2>
<p>${prose('Answer with any 2xx within 15 seconds, and work on it afterwards. Anything else is a failure, redirects too, and the callback comes again: up to twelve times over four days. `Retry-After` is heeded. 410 means that nobody wants to hear any more.')}</p>
<p>${prose('A callback comes at least once. Its `webhook-id` and its body are the same each time: remember ids for four days, and skip those that you know. Order is not promised: look at what the body says, or ask for the task.')}</p>
<p>Songs tell of two stages before their end, their words and their first track, each in a callback of its own.</p>`

function verifyingHtml(sections: readonly Section[]): Html {
  const own = sections.flatMap(({ id, callbacks }) =>
    callbacks?.signatureGuide === undefined ? [] : [guideHtml(id, callbacks.signatureGuide)],
  )
  return html`<h2 id="verifying">Is it genuine?</h2>${guideHtml('standard', STANDARD_SIGNATURE)}${own}`
}

function guideHtml(name: string, guide: SignatureGuide): Html {
  return html`<p>${prose(guide.about)}</p>${receiversHtml(name, guide)}`
}

const ROTATING = html`<h2 id="rotating">A new secret</h2>
<p>${prose('`POST /webhooks/endpoints/{id}/rotate-secret` and `POST /webhooks/secret/rotate` answer with a new secret. For 24 hours `webhook-signature` then holds a signature by each, separated by spaces, so receivers may change over when they like. `overlap_hours` makes that longer or shorter; 0 cuts the old one off at once, for a secret that got out.')}</p>
<p>${prose('A signature of the original API’s own has room for one: the new secret makes it at once. Put the new secret into such receivers right after the rotation. What they refuse until then comes again.')}</p>`

function receiversHtml(name: string, guide: SignatureGuide): Html {
  const choices = LANGUAGES.map(
    ([language, title], index) =>
      html`<input type="radio" name="receiver-${name}" id="${language}-receiver-${name}" class="pick-${language}"${index === 0 ? html` checked` : NOTHING}><label for="${language}-receiver-${name}">${title}</label>`,
  )
  const texts = LANGUAGES.map(
    ([language, title]) =>
      html`<div class="text-${language}">${codeBlock(receiverText(language, guide), `A receiver in ${title}`)}</div>`,
  )
  return html`<fieldset class="example"><legend>A receiver</legend>${choices}${texts}</fieldset>`
}

function bodiesHtml({ id, title, callbacks }: Section): Html {
  const bodies = (callbacks?.endpoints ?? []).map(
    ({ route, bodies: samples }) =>
      html`<details><summary><code>${route}</code></summary>${samples.map(
        ({ moment, body }) =>
          html`<p>${MOMENTS[moment]}</p>${codeBlock(JSON.stringify(body, null, 2), MOMENTS[moment])}`,
      )}</details>`,
  )
  const fields =
    callbacks === undefined
      ? NOTHING
      : html`<details><summary>Every field</summary>${schemaHtml(callbacks.schema)}</details>`
  return html`<h3 id="bodies-${id}">${title}</h3>${bodies}${fields}`
}

const MOMENTS = {
  succeeded: 'It succeeded',
  failed: 'It failed',
  first: 'Its first track can be heard',
  text: 'Its words are written',
} as const
