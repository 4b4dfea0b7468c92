/** Which job is whose. Each encoder is loaded when it is first needed. */
import type { MediaFile, MediaJob } from '../job.ts'

export async function perform(job: MediaJob): Promise<MediaFile> {
  switch (job.kind) {
    case 'image':
      return (await import('../picture/draw.ts')).drawImage(job.order)
    case 'video':
      return (await import('../video/film.ts')).filmVideo(job.order)
    case 'music':
      return (await import('../sound/record.ts')).playMusic(job.order)
    case 'speech':
      return (await import('../sound/record.ts')).speak(job.order)
    case 'mesh':
      return (await import('../mesh/glb.ts')).modelMesh(job.order)
    case 'mesh-picture':
      return (await import('../mesh/render.ts')).renderMesh(job.order)
  }
}
