/** WAV: RIFF with sixteen-bit PCM (Microsoft and IBM, "Multimedia Programming Interface", 1991). */
import type { SoundShape, SoundSink } from './sink.ts'

const HEADER_BYTES = 44
const BYTES_PER_SAMPLE = 2

/** Exactly `sampleCount` long: what is missing is silence, what is too much is dropped. */
export function createWav(shape: SoundShape): SoundSink {
  const blockBytes = shape.channels * BYTES_PER_SAMPLE
  const dataBytes = shape.sampleCount * blockBytes
  const bytes = new Uint8Array(HEADER_BYTES + dataBytes)
  const view = new DataView(bytes.buffer)
  writeHeader(view, bytes, shape, dataBytes)
  let at = HEADER_BYTES
  return {
    write(channels) {
      const count = Math.min(channels[0]?.length ?? 0, (bytes.length - at) / blockBytes)
      for (let nth = 0; nth < count; nth++) {
        for (const channel of channels) {
          const level = Math.max(-1, Math.min(1, channel[nth] ?? 0))
          view.setInt16(at, Math.round(level * 32_767), true)
          at += BYTES_PER_SAMPLE
        }
      }
    },
    finish: () => ({
      bytes,
      contentType: 'audio/wav',
      durationMs: (shape.sampleCount * 1_000) / shape.sampleRateHz,
    }),
  }
}

function writeHeader(view: DataView, bytes: Uint8Array, shape: SoundShape, dataBytes: number): void {
  const blockBytes = shape.channels * BYTES_PER_SAMPLE
  const pcm = 1
  bytes.set(Buffer.from('RIFF\0\0\0\0WAVEfmt ', 'latin1'))
  view.setUint32(4, HEADER_BYTES - 8 + dataBytes, true)
  view.setUint32(16, 16, true)
  view.setUint16(20, pcm, true)
  view.setUint16(22, shape.channels, true)
  view.setUint32(24, shape.sampleRateHz, true)
  view.setUint32(28, shape.sampleRateHz * blockBytes, true)
  view.setUint16(32, blockBytes, true)
  view.setUint16(34, BYTES_PER_SAMPLE * 8, true)
  bytes.set(Buffer.from('data', 'latin1'), 36)
  view.setUint32(40, dataBytes, true)
}
