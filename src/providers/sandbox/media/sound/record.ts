/** One sound file: a song, an effect, or speech. */
import type { MusicOrder, SoundFile, SoundFormat, SpeechOrder } from '../job.ts'
import { playEffect } from './effect.ts'
import { createMp3 } from './mp3.ts'
import type { SoundShape, SoundSink } from './sink.ts'
import { playSong } from './song.ts'
import { scoreOf, speakScore } from './speech.ts'
import { createWav } from './wav.ts'

const MUSIC_RATE_HZ = 44_100
const SPEECH_RATE_HZ = 24_000

export async function playMusic(order: MusicOrder): Promise<SoundFile> {
  const sampleRateHz = order.sampleRateHz ?? MUSIC_RATE_HZ
  const sampleCount = Math.round((order.durationMs * sampleRateHz) / 1_000)
  const shape: SoundShape = { sampleRateHz, channels: 2, sampleCount }
  const sink = await createSink(order.format, shape)
  const play = order.style === 'effect' ? playEffect : playSong
  play(order.prompt, order.seed, shape, sink)
  return sink.finish()
}

export async function speak(order: SpeechOrder): Promise<SoundFile> {
  const turns = order.turns.map(({ text, voice = 'narrator' }) => {
    return { voice, score: scoreOf(text, order.speed ?? 1, SPEECH_RATE_HZ) }
  })
  const sampleCount = turns.reduce((sum, { score }) => sum + score.sampleCount, 0)
  const shape: SoundShape = { sampleRateHz: SPEECH_RATE_HZ, channels: 1, sampleCount }
  const sink = await createSink(order.format, shape)
  for (const { score, voice } of turns) speakScore(score, voice, SPEECH_RATE_HZ, sink)
  return sink.finish()
}

async function createSink(format: SoundFormat, shape: SoundShape): Promise<SoundSink> {
  return format === 'mp3' ? createMp3(shape) : createWav(shape)
}
