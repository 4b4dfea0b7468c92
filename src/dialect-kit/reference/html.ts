/** Text in HTML: nothing reaches a page without passing here. */

/** Markup that may be put into a page as it is. */
export interface Html {
  readonly html: string
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, character => ENTITIES[character] ?? character)
}

type Insert = Html | string | number | readonly Html[]

/** A template whose inserts are escaped, but for those that are markup already. */
export function html(parts: TemplateStringsArray, ...inserts: readonly Insert[]): Html {
  const text = parts.reduce((sofar, part, index) => sofar + markupOf(inserts[index - 1] ?? '') + part)
  return { html: text }
}

function markupOf(insert: Insert): string {
  if (typeof insert === 'string' || typeof insert === 'number') return escapeHtml(String(insert))
  return 'html' in insert ? insert.html : insert.map(one => one.html).join('')
}

/** Nothing, for what is left out. */
export const NOTHING: Html = { html: '' }

/** A sentence in which words between backticks are code. */
export function prose(text: string): Html {
  const pieces = text.split('`')
  return {
    html: pieces
      .map((piece, index) => (index % 2 === 1 ? `<code>${escapeHtml(piece)}</code>` : escapeHtml(piece)))
      .join(''),
  }
}
