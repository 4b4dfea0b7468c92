import { expect, test } from 'vitest'
import type { ProviderDefinition } from '#spec/provider.ts'
import { defineProvider } from './define-provider.ts'

const sound: ProviderDefinition = {
  id: 'some-vendor2',
  title: 'Some Vendor',
  homepage: 'https://example.com/docs',
  access: { kind: 'configured', defaultBaseUrl: 'https://api.example.com/v1' },
  stopsBillingOnAbort: false,
  create: () => ({}),
}

test('a sound definition is given back as it is', () => {
  expect(defineProvider(sound)).toBe(sound)
})

const at = (defaultBaseUrl: string) => ({ access: { kind: 'configured' as const, defaultBaseUrl } })

test.each<[string, Partial<ProviderDefinition>]>([
  ['an id that names no environment variable', { id: 'Some Vendor' }],
  ['no title', { title: ' ' }],
  ['a homepage that is no link', { homepage: 'docs' }],
  ['a base URL without TLS', at('http://api.example.com/v1')],
  ['a base URL with a slash at its end', at('https://api.example.com/')],
  ['a base URL with a query', at('https://api.example.com/v1?key=1')],
  ['a base URL with a credential', at('https://me:secret@api.example.com/v1')],
  ['a base URL that is none', at('api.example.com')],
])('%s is refused at import', (_name, wrong) => {
  expect(() => defineProvider({ ...sound, ...wrong })).toThrow(TypeError)
})
