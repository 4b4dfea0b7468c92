import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { peekSource } from './peek-source.ts'

async function* pieces(parts: readonly Uint8Array[], onLeft = () => {}): AsyncGenerator<Uint8Array> {
  const shared = Buffer.alloc(100)
  try {
    for (const part of parts) {
      shared.set(part)
      yield shared.subarray(0, part.length)
    }
  } finally {
    onLeft()
  }
}

test('the head is the beginning, and the whole is everything, in whatever pieces it comes', async () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(parts, fc.nat(100), async (given, headBytes) => {
      const all = Buffer.concat(given)
      const { head, whole } = await peekSource(pieces(given), headBytes)
      expect(Buffer.from(head)).toEqual(all.subarray(0, headBytes))
      const read: Buffer[] = []
      for await (const part of whole) read.push(Buffer.from(part))
      expect(Buffer.concat(read)).toEqual(all)
    }),
  )
})

test('a source that is not wanted is closed, before its whole is read and in the middle of it', async () => {
  for (const leave of ['unread', 'midway'] as const) {
    let isLeft = false
    const onLeft = () => {
      isLeft = true
    }
    const peeked = await peekSource(pieces([Buffer.from('abc'), Buffer.from('def')], onLeft), 2)
    if (leave === 'unread') await peeked.close()
    else for await (const _ of peeked.whole) break
    expect(isLeft).toBe(true)
  }
})

test('an error of the source is let through', async () => {
  const broken = async function* () {
    yield Buffer.from('abc')
    throw new Error('hung up')
  }
  await expect(peekSource(broken(), 10)).rejects.toThrow('hung up')
  const { whole } = await peekSource(broken(), 2)
  await expect(buffer(whole)).rejects.toThrow('hung up')
})
