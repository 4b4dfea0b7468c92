/** What runs in a thread of its own: takes a job, makes the file, hands over its bytes without a copy. */
import os from 'node:os'
import process from 'node:process'
import { parentPort } from 'node:worker_threads'
import { MediaFailure, type MediaFailureKind } from '../failure.ts'
import type { MediaFile, MediaJob } from '../job.ts'
import { perform } from './perform.ts'

export type WorkerReply =
  | { readonly kind: 'file'; readonly file: MediaFile }
  | { readonly kind: 'failed'; readonly failure: MediaFailureKind; readonly message: string }
  /** An encoder that broke can not be used again: this thread must be ended. */
  | { readonly kind: 'crashed'; readonly message: string }

// Where there are fewer cores than work, the event loop comes first. Elsewhere this would slow the whole process:
// only Linux has a priority for each thread (setpriority(2), "C library/kernel differences").
if (process.platform === 'linux') os.setPriority(0, 5)

parentPort?.on('message', async (job: MediaJob) => {
  const reply = await replyTo(job)
  parentPort?.postMessage(reply, reply.kind === 'file' ? [reply.file.bytes.buffer] : [])
})

async function replyTo(job: MediaJob): Promise<WorkerReply> {
  try {
    return { kind: 'file', file: await perform(job) }
  } catch (cause) {
    if (cause instanceof MediaFailure) return { kind: 'failed', failure: cause.kind, message: cause.message }
    return { kind: 'crashed', message: cause instanceof Error ? cause.message.slice(0, 200) : 'unknown' }
  }
}
