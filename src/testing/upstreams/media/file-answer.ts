/** A file's bytes on the wire, whole or with a fault. */
import type { ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { TaskFault } from './directives.ts'
import { sampleFile } from './files.ts'
import type { Job } from './job.ts'

const DRIP_BYTES = 64
const DRIP_MS = 200

/** Numbers from the count of files on are covers: always images. */
export async function sendFile(response: ServerResponse, job: Job, index: number): Promise<void> {
  const kind = index >= job.delivered ? 'image' : job.asked.kind
  const { bytes, contentType } = sampleFile(kind, index + job.id.length)
  const { fileTimes, fileOnly } = job.directives
  const isMeant = Number.isNaN(fileOnly) || fileOnly === index
  if (isMeant) job.fileFetches += 1
  const isSpoiled = (fault: TaskFault) => isMeant && job.meets(fault) && job.fileFetches <= fileTimes
  const isGone = isSpoiled('file-404') || (isSpoiled('file-404-once') && job.fileFetches === 1)
  if (isGone) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('gone')
    return
  }
  if (isSpoiled('file-is-html')) {
    response.writeHead(200, { 'content-type': contentType }).end('<html>The link has expired</html>')
    return
  }
  const type = isSpoiled('file-wrong-type') ? 'text/html' : contentType
  response.writeHead(200, { 'content-type': type, 'content-length': bytes.length })
  if (isSpoiled('file-cut')) {
    response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.socket?.destroy())
    return
  }
  if (!isSpoiled('file-slow')) {
    response.end(bytes)
    return
  }
  for (let at = 0; at < bytes.length && !response.destroyed; at += DRIP_BYTES) {
    response.write(bytes.subarray(at, at + DRIP_BYTES))
    await wait(DRIP_MS)
  }
  response.end()
}
