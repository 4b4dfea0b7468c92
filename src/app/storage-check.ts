/** Whether the bucket works, found out at the start and not by the first task. */
import { probeObjectStore } from '#platform/object-store/probe.ts'
import { S3Failure } from '#platform/object-store/s3-bucket.ts'
import { ConfigError } from './config.ts'
import type { Wired } from './wire.ts'

/** A bucket that takes longer to answer is not waited for. */
const PATIENCE_MS = 5_000

/**
 * Puts, reads and deletes one small object. Throws ConfigError where the bucket refuses that: no patience helps. One that
 * does not answer may come back, and there is more to serve than files: that is only logged.
 */
export async function checkStorage({
  config,
  parts,
  clock,
  logger,
}: Pick<Wired, 'config' | 'parts' | 'clock' | 'logger'>): Promise<void> {
  if (config.s3 === undefined) return
  const done = new AbortController()
  const probed = probeObjectStore(parts.media.objects).then(
    () => undefined,
    (error: unknown) => error,
  )
  const late = clock.sleep(PATIENCE_MS, done.signal).then(() => new Error('no answer yet'))
  const error = await Promise.race([probed, late])
  done.abort()
  if (error === undefined) return
  if (error instanceof S3Failure && isRefusal(error.status)) {
    throw new ConfigError(
      `The bucket "${config.s3.bucket}" refuses to be used: ${error.message}. ` +
        'Look at S3_BUCKET, S3_ENDPOINT, S3_REGION, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY.',
    )
  }
  logger.warn({ error }, 'the bucket for files does not work yet: uploads are refused, results wait')
}

function isRefusal(status: number | undefined): boolean {
  return status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429
}
