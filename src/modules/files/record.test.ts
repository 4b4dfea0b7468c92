import { describe, expect, it } from 'vitest'
import type { AccountRef } from '#spec/account.ts'
import type { Uuid } from '#spec/ids.ts'
import { isObjectKey } from '#spec/object-store.ts'
import { objectKeyOf, readObjectKey, thumbnailKeyOf } from './record.ts'

const ACCOUNT: AccountRef = { workspaceId: '01993a4e-7c00-7000-8000-00000000000a' as Uuid, mode: 'test' }

describe('a key in the object store', () => {
  it('of a file and of its thumbnail says whose it is, and which file it belongs to', () => {
    const objectKey = objectKeyOf(ACCOUNT, 'stem')
    expect(isObjectKey(objectKey)).toBe(true)
    expect(readObjectKey(objectKey)).toEqual({ account: ACCOUNT, objectKey })
    expect(readObjectKey(thumbnailKeyOf(ACCOUNT, 'stem'))).toEqual({ account: ACCOUNT, objectKey })
  })

  it.each([
    objectKeyOf(ACCOUNT, 'stem').replace('.bin', '.webp'),
    thumbnailKeyOf(ACCOUNT, 'stem').replace('.webp', '.bin'),
    objectKeyOf(ACCOUNT, 'stem').replace('files/', 'filed/'),
    objectKeyOf(ACCOUNT, 'stem').replace('/test/', '/probe/'),
    objectKeyOf(ACCOUNT, 'stem').replace('01993a4e-', '------------'.slice(0, 9)),
    `more/${objectKeyOf(ACCOUNT, 'stem')}`,
    `${objectKeyOf(ACCOUNT, 'stem')}/x.bin`,
    'files/readme.bin',
    '',
  ])('that we would not make is none of ours: %s', key => {
    expect(readObjectKey(key)).toBeUndefined()
  })
})
