import fc from 'fast-check'
import { expect, test } from 'vitest'
import { html, prose } from './html.ts'

test('no text can open a tag, close an attribute or begin an entity', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      const made = html`<a title="${text}">${text}</a>`.html
      expect(made.match(/[<>]/g)).toHaveLength(4)
      expect(made.match(/"/g)).toHaveLength(2)
      expect(made.replaceAll(/&(amp|lt|gt|quot|#39);/g, '')).not.toContain('&')
    }),
  )
})

test('markup is inserted once, as it is', () => {
  expect(html`<p>${html`<b>${'<'}</b>`}${[html`<i></i>`]}</p>`.html).toBe('<p><b>&lt;</b><i></i></p>')
})

test('what stands between backticks is code, and escaped', () => {
  expect(prose('Send `<b>` & go').html).toBe('Send <code>&lt;b&gt;</code> &amp; go')
})
