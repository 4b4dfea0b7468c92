import { expect, test } from 'vitest'
import { signedLink } from './s3-presign.ts'
import { createS3Store } from './s3-store.ts'

test('the signature is the one of the worked example in the documentation of S3', () => {
  const link = signedLink({
    url: new URL('https://examplebucket.s3.amazonaws.com/test.txt'),
    region: 'us-east-1',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    expiresInSeconds: 86_400,
    query: {},
    at: new Date('2013-05-24T00:00:00Z'),
  })
  expect(new URL(link).searchParams.get('X-Amz-Signature')).toBe(
    'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  )
})

const OPTIONS = {
  endpoint: 'https://s3.example.com',
  region: 'eu-central-1',
  bucket: 'pictures',
  accessKeyId: 'access',
  secretAccessKey: 'secret',
  forcePathStyle: false,
}

async function addressOf(options: Partial<typeof OPTIONS> & { presignEndpoint?: string }): Promise<string> {
  const store = createS3Store({ ...OPTIONS, ...options })
  const link = await store.presign('ab/cd.png', { expiresInSeconds: 60 })
  store.close()
  return (link ?? '').split('?')[0] ?? ''
}

test('the bucket stands where its server looks for it', async () => {
  expect(await addressOf({})).toBe('https://pictures.s3.example.com/ab/cd.png')
  expect(await addressOf({ forcePathStyle: true })).toBe('https://s3.example.com/pictures/ab/cd.png')
  expect(await addressOf({ endpoint: 'http://127.0.0.1:9000' })).toBe(
    'http://127.0.0.1:9000/pictures/ab/cd.png',
  )
  expect(await addressOf({ endpoint: 'http://[::1]:9000/s3/' })).toBe(
    'http://[::1]:9000/s3/pictures/ab/cd.png',
  )
  expect(await addressOf({ bucket: 'my.pictures' })).toBe('https://s3.example.com/my.pictures/ab/cd.png')
  expect(await addressOf({ presignEndpoint: 'https://files.example.com' })).toBe(
    'https://pictures.files.example.com/ab/cd.png',
  )
})

test('where clients reach no bucket there are no links', async () => {
  const store = createS3Store({ ...OPTIONS, presignEndpoint: null })
  expect(await store.presign('ab/cd.png', { expiresInSeconds: 60 })).toBeNull()
  store.close()
})

test('a link lasts between one second and seven days', async () => {
  const store = createS3Store(OPTIONS)
  for (const expiresInSeconds of [0, -1, Number.NaN, 604_801]) {
    await expect(store.presign('ab/cd.png', { expiresInSeconds })).rejects.toThrow(RangeError)
  }
  await expect(store.presign('../cd.png', { expiresInSeconds: 60 })).rejects.toThrow('invalid-key')
  store.close()
})
