/** What files are, by decoders that have nothing to do with those who made them. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { validateBytes } from 'gltf-validator'
import { z } from 'zod'

const PATIENCE_MS = 60_000
const LARGEST_OUTPUT_BYTES = 4 * 1024 * 1024

const streamShape = z.looseObject({
  codec_type: z.enum(['video', 'audio']),
  codec_name: z.string(),
  width: z.int().optional(),
  height: z.int().optional(),
  /** Decoded, every one of them. */
  nb_read_frames: z.coerce.number().int().positive(),
})

const reportShape = z.object({
  streams: z.array(streamShape).min(1),
  format: z.looseObject({ format_name: z.string(), duration: z.coerce.number().optional() }),
})

export interface Decoded {
  readonly codec: string
  readonly widthPx: number | undefined
  readonly heightPx: number | undefined
  readonly durationSeconds: number
  readonly frames: number
  readonly streams: number
}

/** Reads a file to its last frame with ffprobe. Throws with its complaints: there may be none. */
export async function ffprobe(path: string): Promise<Decoded> {
  const wishes = ['-v', 'error', '-count_frames', '-show_streams', '-show_format', '-of', 'json', path]
  const { stdout, stderr } = await promisify(execFile)('ffprobe', wishes, {
    timeout: PATIENCE_MS,
    maxBuffer: LARGEST_OUTPUT_BYTES,
  })
  if (stderr !== '') throw new Error(`ffprobe complains of ${path}: ${stderr}`)
  const { streams, format } = reportShape.parse(JSON.parse(stdout))
  const [first] = streams
  return {
    codec: first?.codec_name ?? '',
    widthPx: first?.width,
    heightPx: first?.height,
    durationSeconds: format.duration ?? 0,
    frames: first?.nb_read_frames ?? 0,
    streams: streams.length,
  }
}

/** The number of triangles of a binary glTF that Khronos's validator has nothing to say against. */
export async function trianglesIn(bytes: Uint8Array): Promise<number> {
  const { issues, info } = await validateBytes(bytes, { format: 'glb' })
  if (issues.numErrors + issues.numWarnings === 0) return Number(info.totalTriangleCount)
  throw new Error(`the validator complains: ${JSON.stringify(issues.messages)}`)
}
