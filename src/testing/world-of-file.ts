/** The world that the tests of one file share: opened before them, audited after each, closed after the last. */
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { createWorld, type OwnWorld, type World } from './world.ts'

/**
 * Call it once, at the top of a test file. A test fails that leaves anything behind (`World.audit`); an `afterEach` of
 * the file's own runs before that is looked at.
 */
export function worldOfFile(): World {
  let opened: OwnWorld | undefined
  const world = (): OwnWorld => {
    if (!opened) throw new Error('the world of a file is opened before its tests, not while the file is read')
    return opened
  }
  beforeAll(async () => {
    opened = await createWorld()
  })
  afterEach(async () => expect(await world().audit()).toEqual([]))
  afterAll(() => opened?.close())
  return {
    get database() {
      return world().database
    },
    get accounts() {
      return world().accounts
    },
    get keys() {
      return world().keys
    },
    get ids() {
      return world().ids
    },
    open: options => world().open(options),
    audit: () => world().audit(),
  }
}
