/** MP3 by LAME in WebAssembly, constant bit rate, cut to the number of frames that is nearest to the length. */
import { createMp3Encoder } from 'wasm-media-encoders'
import { mp3FramesIn } from './mp3-frames.ts'
import type { SoundShape, SoundSink } from './sink.ts'

/** LAME takes so long to begin and to end; the end is needed for the last sample, the frames of it are not. */
const SILENCE_AFTER = 4_608

export async function createMp3(shape: SoundShape): Promise<SoundSink> {
  const { sampleRateHz, channels } = shape
  const encoder = await createMp3Encoder()
  encoder.configure({
    sampleRate: sampleRateHz,
    outputSampleRate: rateOf(sampleRateHz),
    channels,
    bitrate: channels === 2 ? 128 : 64,
  })
  const parts: Uint8Array[] = []
  return {
    write(samples) {
      // What the encoder returns is its own and is written over.
      parts.push(encoder.encode(samples).slice())
    },
    finish() {
      const silence = new Float32Array(SILENCE_AFTER)
      parts.push(encoder.encode(channels === 2 ? [silence, silence] : [silence]).slice())
      parts.push(encoder.finalize().slice())
      return cut(Buffer.concat(parts), shape)
    },
  }
}

type Mp3Rate = 8000 | 11025 | 12000 | 16000 | 22050 | 24000 | 32000 | 44100 | 48000

function rateOf(sampleRateHz: number): Mp3Rate {
  return sampleRateHz as Mp3Rate
}

function cut(stream: Buffer, { sampleRateHz, sampleCount }: SoundShape) {
  const frames = mp3FramesIn(stream)
  const samplesPerFrame = frames[0]?.samples ?? 1
  const wanted = Math.max(1, Math.round(sampleCount / samplesPerFrame))
  const last = frames[wanted - 1]
  if (last === undefined) throw new RangeError('the encoder made too few frames')
  return {
    bytes: new Uint8Array(stream.subarray(0, last.to)),
    contentType: 'audio/mpeg' as const,
    durationMs: (wanted * samplesPerFrame * 1_000) / sampleRateHz,
  }
}
