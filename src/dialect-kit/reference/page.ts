/** What every page of the reference has around it. */
import { type Html, html, NOTHING } from './html.ts'
import type { Section } from './operation.ts'

interface Page {
  readonly title: string
  /** Of the navigation: the page that this is. */
  readonly here: string
  readonly sections: readonly Section[]
  /** What the navigation lists below this page's own name. */
  readonly contents: Html
  readonly main: Html
}

export function pageHtml({ title, here, sections, contents, main }: Page): string {
  const pages = [
    { id: '', title: 'Start here', href: '/docs' },
    ...sections.map(section => ({ id: section.id, title: section.title, href: `/docs/${section.id}` })),
    { id: 'callbacks', title: 'Callbacks', href: '/docs/callbacks' },
    { id: 'errors', title: 'Errors', href: '/docs/errors' },
  ]
  const navigation = pages.map(({ id, title: name, href }) =>
    id === here
      ? html`<li><a href="${href}" aria-current="page">${name}</a>${contents}</li>`
      : html`<li><a href="${href}">${name}</a></li>`,
  )
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header><a class="brand" href="/docs">Tollgate <span>API reference</span></a><a href="/openapi.json">openapi.json</a></header>
<div class="columns">
<nav aria-label="Pages"><ul class="pages">${navigation}</ul></nav>
<main id="main">${main}</main>
</div>
</body>
</html>
`.html
}

/** A block of text to copy: one click selects all of it. */
export function codeBlock(text: string, label?: string): Html {
  return html`<pre tabindex="0"${label === undefined ? NOTHING : html` aria-label="${label}"`}><code>${text}</code></pre>`
}
