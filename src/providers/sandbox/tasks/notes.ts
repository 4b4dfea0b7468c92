/** The notes of a track's parts, as MIDI would have them: a chord progression that follows from the track. */
import type { JsonObject } from '#spec/json.ts'
import { randomOf } from '../random.ts'
import { isSong, parentIndex, type SongOrder } from './songs.ts'
import { stemsOf } from './stems.ts'
import { milliseconds } from './transcript.ts'

const BARS = 8
const BEATS_A_BAR = 4
const SCALE = [0, 2, 4, 5, 7, 9, 11]
const PROGRESSIONS = [
  [0, 4, 5, 3],
  [5, 3, 0, 4],
  [0, 5, 3, 4],
]
const NAMES: Readonly<Record<string, string>> = {
  vocal: 'Vocals',
  backing_vocals: 'Backing Vocals',
  fx: 'FX',
}
const PITCHLESS: ReadonlySet<string> = new Set(['drums', 'percussion', 'fx'])
const KICK_AND_SNARE = [36, 38]

/** The parts of the task that took it apart, or the one that was named; a track that is whole is one part. */
export function instrumentsOf(order: SongOrder): readonly JsonObject[] {
  const { parent, request } = order
  const isApart = parent !== undefined && isSong(parent) && parent.action === 'stem_separation'
  const parts = isApart ? stemsOf(parent).map(({ stem }) => stem) : ['piano']
  const named = request.parentTrack === undefined ? undefined : parts[parentIndex(order)]
  const seed = `${parent?.reference ?? order.reference}/${request.seed ?? ''}`
  return (named === undefined ? parts : [named]).map(part => ({
    name: nameOf(part),
    notes: notesOf(part, seed),
  }))
}

function nameOf(part: string): string {
  return (
    NAMES[part] ??
    part
      .split('_')
      .map(word => word.charAt(0).toUpperCase() + word.slice(1))
      .join(' ')
  )
}

function notesOf(part: string, seed: string): readonly JsonObject[] {
  const song = randomOf('song', seed)
  const secondsABeat = 60 / (84 + 4 * song.below(12))
  const root = 48 + song.below(12)
  const chords = song.pick(PROGRESSIONS)
  const own = randomOf('notes', seed, part)
  return Array.from({ length: BARS * BEATS_A_BAR }, (_, beat) => {
    const chord = chords[Math.floor(beat / BEATS_A_BAR) % chords.length] ?? 0
    const degree = chord + 2 * own.below(3)
    const octave = part === 'bass' ? -12 : 12 * Math.floor(degree / SCALE.length)
    const pitch = PITCHLESS.has(part)
      ? (KICK_AND_SNARE[beat % 2] ?? 36)
      : root + octave + (SCALE[degree % SCALE.length] ?? 0)
    return {
      pitch,
      start: milliseconds(beat * secondsABeat),
      end: milliseconds((beat + 0.9) * secondsABeat),
      velocity: milliseconds(0.6 + 0.4 * own.next()),
    }
  })
}
