import { execFileSync } from 'node:child_process'
import { chmod, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { Readable } from 'node:stream'
import sharp from 'sharp'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Film } from '#spec/video-poster.ts'
import { createPosterMaker, type PosterMakerOptions } from './poster-maker.ts'

/**
 * What is around the program, with programs of a few lines in its place: each prints, or does not, what the real one would.
 * The real one, with real films, is in `e2e/video-poster.test.ts`.
 */
vi.setConfig({ testTimeout: 60_000 })

let folder: string
let still: Buffer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollgate-poster-test-'))
  still = await sharp({ create: { width: 320, height: 180, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
})
const made: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of made.splice(0)) await one.close()
})
afterAll(() => rm(folder, { recursive: true, force: true }))

let programs = 0
/** Prints what was put into it: a film that is a picture is its own still. */
const ECHO = 'cat /dev/fd/3'

async function makerOf(script: string, options: Partial<PosterMakerOptions> = {}) {
  const ffmpeg = join(folder, `program-${programs++}`)
  await writeFile(ffmpeg, `#!/bin/sh\n${script}\n`)
  await chmod(ffmpeg, 0o755)
  const maker = createPosterMaker({ ffmpeg, timeoutMs: 50_000, ...options })
  made.push(maker)
  return maker
}

function film(bytes: Uint8Array = still, fields: Partial<Film> = {}) {
  const opened = vi.fn(async () => pieces(bytes))
  return { contentType: 'video/mp4', durationMs: 5_000, open: opened, ...fields }
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1_000) yield bytes.subarray(at, at + 1_000)
}

/** A pipe that a program holds open for as long as it lives. */
async function lifeline() {
  const path = join(folder, `lifeline-${programs++}`)
  execFileSync('mkfifo', [path])
  return {
    /** The beginning of a program. */
    script: `exec 4>${path}; echo up >&4`,
    /** Resolves when the program has begun; `gone`, when its last process has ended. */
    async watch() {
      const reader = (await open(path, 'r')).createReadStream({ encoding: 'utf8' })
      const gone = new Promise<void>(resolve => reader.once('close', resolve))
      await new Promise<unknown>(resolve => reader.once('data', resolve))
      return { gone }
    },
  }
}

describe('a poster', () => {
  it('is a JPEG of the still, made from all of the film, in one piece', async () => {
    const picture = await (await makerOf(ECHO)).make(film())
    expect(picture).toMatchObject({ contentType: 'image/jpeg', extension: 'jpg', width: 320, height: 180 })
    const { format, width, exif } = await sharp(picture?.bytes).metadata()
    expect({ format, width, exif }).toEqual({ format: 'jpeg', width: 320, exif: undefined })
    const { channels } = await sharp(picture?.bytes).stats()
    expect(channels.map(({ mean }) => Math.round(mean / 16))).toEqual([0, 8, 8])
  })

  it('is looked for at the beginning where there was none further on', async () => {
    const maker = await makerOf(`case "$*" in *"-ss 0.500 "*) ;; *"-ss 0.000 "*) ${ECHO};; esac`)
    expect(await maker.make(film())).toMatchObject({ width: 320 })
  })

  it('is asked of the program in our words alone, with no setting of ours and no open file but the film', async () => {
    const words = 'test "$(env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD=)" = "" || exit 1'
    const files = 'for each in 4 5 6 7 8 9; do { true >&$each; } 2>/dev/null && exit 1; done'
    const place =
      'case "$*" in *"-protocol_whitelist file "*"-f mov -i file:/dev/fd/3 "*) ;; *) exit 1;; esac'
    const maker = await makerOf(`${words}\n${files}\n${place}\ntest "$PWD" = / || exit 1\n${ECHO}`)
    expect(await maker.make(film())).toMatchObject({ width: 320 })
  })

  it('is made within bounds that the program itself cannot widen', async () => {
    const bounds = 'test "$(ulimit -H -c) $(ulimit -H -f) $(ulimit -H -n) $(ulimit -H -t)" = "0 0 64 15"'
    // Not every system knows a bound of memory.
    const memory = 'test "$(uname)" != Linux || test "$(ulimit -H -v)" = 2097152'
    const maker = await makerOf(`${bounds} && ${memory} || exit 1\n${ECHO}`)
    expect(await maker.make(film())).toMatchObject({ width: 320 })
  })
})

describe('there is no poster', () => {
  it.each([
    ['where the program fails', 'exit 1'],
    ['where it is killed', 'kill -9 $$'],
    ['where it prints nothing', 'exit 0'],
    ['where it prints what is no picture', 'echo not a picture'],
    ['where it prints half a picture', 'head -c 300 /dev/fd/3'],
    ['where it prints without end', 'cat /dev/zero'],
    ['where it writes to a file', `echo x > ${tmpdir()}/tollgate-poster-leak-$$ || exit 1; ${ECHO}`],
  ])('%s', async (_, script) => {
    const maker = await makerOf(script)
    expect(await maker.make(film())).toBeUndefined()
  })

  it('where there is no program, and nothing is read for it', async () => {
    const nothing = film()
    expect(await createPosterMaker({ ffmpeg: undefined }).make(nothing)).toBeUndefined()
    expect(nothing.open).not.toHaveBeenCalled()
    const gone = createPosterMaker({ ffmpeg: join(folder, 'not-there') })
    expect(await gone.make(film())).toBeUndefined()
  })

  it.each(['image/png', 'application/octet-stream', 'text/plain', 'application/vnd.apple.mpegurl', ''])(
    'of a file of type "%s", and nothing is read for it',
    async contentType => {
      const other = film(still, { contentType })
      expect(await (await makerOf(ECHO)).make(other)).toBeUndefined()
      expect(other.open).not.toHaveBeenCalled()
    },
  )

  it('of a film that is larger than is copied, or cannot be read to its end', async () => {
    const maker = await makerOf(ECHO, { mostBytes: still.length - 1 })
    expect(await maker.make(film())).toBeUndefined()
    const broken = async function* () {
      yield still.subarray(0, 100)
      throw new Error('the bucket is gone')
    }
    const whole = await makerOf(ECHO)
    expect(await whole.make(film(still, { open: async () => broken() }))).toBeUndefined()
    expect(await whole.make(film(still, { open: () => Promise.reject(new Error('away')) }))).toBeUndefined()
    expect(await whole.make(film())).toBeDefined()
  })

  it('where the time is over, and the program is gone then', async () => {
    const life = await lifeline()
    const watched = life.watch()
    const maker = await makerOf(`${life.script}; sleep 1000; ${ECHO}`, { timeoutMs: 1_500 })
    expect(await maker.make(film())).toBeUndefined()
    await (await watched).gone
  })

  it('where the film falls silent, for longer than the time', async () => {
    const silent: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
    }
    const maker = await makerOf(ECHO, { timeoutMs: 300, concurrency: 1 })
    expect(await maker.make(film(still, { open: async () => silent }))).toBeUndefined()
  })

  it('where the time is over, though one that left its group still holds the pipe', async () => {
    const leaving = `require("node:child_process").spawn("sleep", ["30"], { detached: true, stdio: "inherit" }).unref()`
    const maker = await makerOf(
      `ulimit -v unlimited 2>/dev/null; ${process.execPath} -e '${leaving}'; exit 0`,
      { timeoutMs: 2_000 },
    )
    const startedMs = performance.now()
    expect(await maker.make(film())).toBeUndefined()
    expect(performance.now() - startedMs).toBeLessThan(20_000)
  })

  it('where the film takes longer to be opened than the time, and it is closed when it comes', async () => {
    const late = Promise.withResolvers<AsyncIterable<Uint8Array>>()
    const maker = await makerOf(ECHO, { timeoutMs: 300 })
    expect(await maker.make(film(still, { open: () => late.promise }))).toBeUndefined()
    const stream = Readable.from(pieces(still))
    const closed = new Promise(resolve => stream.once('close', resolve))
    late.resolve(stream)
    await closed
  })

  it('where it is aborted while the film is opened, which is closed', async () => {
    const maker = await makerOf(ECHO)
    const gone = new AbortController()
    const stream = Readable.from(pieces(still))
    const closed = new Promise(resolve => stream.once('close', resolve))
    const open = async () => {
      gone.abort()
      return stream
    }
    expect(await maker.make(film(still, { open }), gone.signal)).toBeUndefined()
    await closed
  })

  it('where there is no room for the film, which is not opened for that', async () => {
    const maker = await makerOf(ECHO)
    vi.stubEnv('TMPDIR', join(folder, 'not-there'))
    const homeless = film()
    expect(await maker.make(homeless)).toBeUndefined()
    vi.unstubAllEnvs()
    expect(homeless.open).not.toHaveBeenCalled()
  })

  it('where it is aborted, running or waiting; others have theirs', async () => {
    const life = await lifeline()
    const watched = life.watch()
    const script = `if test "$(head -c 4 /dev/fd/3)" = hang; then ${life.script}; exec sleep 1000; fi; ${ECHO}`
    const maker = await makerOf(script, { concurrency: 1 })
    const [first, second] = [new AbortController(), new AbortController()]
    const running = maker.make(film(Buffer.from('hang')), first.signal)
    const waits = film()
    const waiting = maker.make(waits, second.signal)
    const other = maker.make(film())
    const { gone } = await watched
    second.abort()
    expect(await waiting).toBeUndefined()
    expect(waits.open).not.toHaveBeenCalled()
    first.abort()
    expect(await running).toBeUndefined()
    await gone
    expect(await other).toBeDefined()
    expect(await maker.make(film(), AbortSignal.abort())).toBeUndefined()
  })

  it('at once where too many wait, and for all when it is closed', async () => {
    const life = await lifeline()
    const watched = life.watch()
    const maker = await makerOf(`${life.script}; exec sleep 1000`, { concurrency: 1, mostWaiting: 1 })
    const [running, waiting] = [maker.make(film()), maker.make(film())]
    expect(await maker.make(film())).toBeUndefined()
    const { gone } = await watched
    await maker.close()
    expect([await running, await waiting]).toEqual([undefined, undefined])
    await gone
    expect(await maker.make(film())).toBeUndefined()
  })
})

it('nothing is left of a film, whatever became of it', async () => {
  const left = async () => (await readdir(tmpdir())).filter(name => name.startsWith('tollgate-film-'))
  const before = await left()
  const listing: string[][] = []
  async function* watching() {
    yield still
    listing.push(await left())
  }
  const maker = await makerOf(ECHO)
  expect(await maker.make(film(still, { open: async () => watching() }))).toBeDefined()
  // Other tests of this machine may have theirs for a moment.
  const isNew = (name: string) => !before.includes(name)
  expect(listing.flat().filter(isNew)).toEqual([])
  expect((await left()).filter(isNew)).toEqual([])
})
