import process from 'node:process'
import { expect, test, vi } from 'vitest'
import { runCommand } from './index.ts'

/** The names of the commands that the help for these words lists. */
async function listed(line: string): Promise<string[]> {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  expect(await runCommand(line.split(' ').filter(word => word !== ''))).toBe(0)
  const text = written.mock.calls.map(([piece]) => String(piece)).join('')
  written.mockRestore()
  return [...text.matchAll(/^ {2}npx tollgate (.+?) {2}/gm)].map(([, name = '']) => name)
}

test('help for a word lists the commands that begin with it, and no others', async () => {
  expect(await listed('work --help')).toEqual(['work'])
  expect(await listed('help key')).toEqual(['key create', 'key list', 'key revoke', 'key cap', 'key change'])
  const webhooks = await listed('webhooks --help')
  expect(webhooks).toContain('webhooks secret rotate')
  expect(webhooks.filter(name => !name.startsWith('webhooks '))).toEqual([])
})

test.each(['', '--help', 'help', 'nonsense --help'])('"%s" lists them all', async line => {
  expect(await listed(line)).toEqual(
    expect.arrayContaining(['serve', 'key create', 'audit', 'webhooks list']),
  )
})
