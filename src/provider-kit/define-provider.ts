/** The one way a provider comes into being. Typed identity, with the checks a type cannot make. */
import type { ProviderDefinition } from '#spec/provider.ts'

const ID = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/

/**
 * Gives the definition back unchanged. Throws a TypeError at import, so at boot and in every test, where the id
 * could not name an environment variable, or an address is not one a credential may be sent to.
 */
export function defineProvider(definition: ProviderDefinition): ProviderDefinition {
  const { id, title, homepage, access } = definition
  if (!ID.test(id)) throw new TypeError(`provider id "${id}" must be lower-case words joined by "-"`)
  if (title.trim() === '') throw new TypeError(`provider "${id}" needs a title`)
  if (URL.parse(homepage)?.protocol !== 'https:')
    throw new TypeError(`provider "${id}" needs an https homepage`)
  if (access.kind === 'configured') checkBaseUrl(id, access.defaultBaseUrl)
  return definition
}

function checkBaseUrl(id: string, baseUrl: string): void {
  const parsed = URL.parse(baseUrl)
  if (parsed?.protocol !== 'https:') throw new TypeError(`provider "${id}" needs an https default base URL`)
  if (baseUrl.endsWith('/')) throw new TypeError(`the base URL of provider "${id}" must not end with "/"`)
  if (parsed.search !== '' || parsed.hash !== '' || parsed.username !== '' || parsed.password !== '') {
    throw new TypeError(`the base URL of provider "${id}" must be an origin and a path`)
  }
}
