/** Everything that is served of the reference, written when it is first asked for and kept. */
import { createHash } from 'node:crypto'
import { withBaseUrl } from './base-url.ts'
import { callbacksPage } from './callbacks-page.ts'
import { SAMPLE_FILE } from './example.ts'
import { openApiDocument } from './openapi.ts'
import { type ReferenceOptions, type Section, sectionsOf } from './operation.ts'
import { errorsPage, overviewPage } from './overview-pages.ts'
import { SAMPLE_PICTURE } from './sample-picture.ts'
import { sectionPage } from './section-page.ts'
import { STYLE } from './style.ts'

/** One document as it goes out. */
export interface ReferenceDocument {
  readonly contentType: string
  readonly body: string | Buffer
  /** Quoted; changes with the body. */
  readonly etag: string
}

export interface ReferenceSite {
  /** The OpenAPI document. `baseUrl` is this server's origin as the reader knows it. */
  openApi(baseUrl: string): ReferenceDocument
  /** A page, the style or the sample file by its name under `/docs`; '' is the first page. */
  page(name: string, baseUrl: string): ReferenceDocument | undefined
}

const HTML = 'text/html; charset=utf-8'

interface Written {
  readonly contentType: string
  readonly text: string
  /** As it was sent last: nearly every reader knows the server by the same name. */
  last?: { readonly baseUrl: string; readonly document: ReferenceDocument }
}

/** Writes nothing yet; what is asked for first takes some tens of milliseconds. */
export function createReferenceSite(options: ReferenceOptions): ReferenceSite {
  const written = new Map<string, Written>()
  const keep = (name: string, write: () => Written): Written => {
    const known = written.get(name) ?? write()
    written.set(name, known)
    return known
  }
  let known: readonly Section[] | undefined
  const sections = () => {
    known ??= sectionsOf(options)
    return known
  }
  return {
    openApi(baseUrl) {
      const write = () => ({
        contentType: 'application/json; charset=utf-8',
        text: JSON.stringify(openApiDocument(options)),
      })
      return atBaseUrl(keep('/openapi', write), baseUrl)
    },
    page(name, baseUrl) {
      if (name === SAMPLE_FILE) return documentOf('image/png', SAMPLE_PICTURE)
      const write = writerOf(name, options, sections)
      return write && atBaseUrl(keep(name, write), baseUrl)
    },
  }
}

function writerOf(
  name: string,
  options: ReferenceOptions,
  sections: () => readonly Section[],
): (() => Written) | undefined {
  if (name === 'style.css') return () => ({ contentType: 'text/css; charset=utf-8', text: STYLE })
  if (name === '') return () => ({ contentType: HTML, text: overviewPage(sections(), options) })
  if (name === 'callbacks') return () => ({ contentType: HTML, text: callbacksPage(sections()) })
  if (name === 'errors') return () => ({ contentType: HTML, text: errorsPage(sections()) })
  if (!options.sources.some(({ dialect }) => dialect.id === name)) return undefined
  return () => {
    const section = sections().find(({ id }) => id === name)
    if (section === undefined) throw new Error(`no section ${name}`)
    return { contentType: HTML, text: sectionPage(section, sections()) }
  }
}

function atBaseUrl(written: Written, baseUrl: string): ReferenceDocument {
  if (written.last?.baseUrl !== baseUrl) {
    const document = documentOf(written.contentType, withBaseUrl(written.text, baseUrl))
    written.last = { baseUrl, document }
  }
  return written.last.document
}

function documentOf(contentType: string, body: string | Buffer): ReferenceDocument {
  const digest = createHash('sha256').update(body).digest('base64url').slice(0, 22)
  return { contentType, body, etag: `"${digest}"` }
}
