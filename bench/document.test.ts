import { describe, expect, it } from 'vitest'
import { withPart } from './document.ts'

const TEXT =
  'a\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nb\n<!-- bench-tasks:begin -->\n<!-- bench-tasks:end -->\n'

describe('the document', () => {
  it('gets a page between the markers of its part and keeps everything else', () => {
    const chats = withPart(TEXT, 'bench', 'new\n')
    expect(chats).toBe(TEXT.replace('\nold\n', '\n\nnew\n\n'))
    const both = withPart(chats, 'bench-tasks', 'tasks')
    expect(both.startsWith(chats.slice(0, chats.indexOf('<!-- bench-tasks:begin -->')))).toBe(true)
    expect(both).toContain('<!-- bench-tasks:begin -->\n\ntasks\n\n<!-- bench-tasks:end -->')
  })

  it('that has lost its markers is refused', () => {
    expect(() => withPart('nothing', 'bench', 'page')).toThrow('markers')
  })
})
