/** Which picture a prompt is: one of a few kinds of scene, each with its own colours, forms and motion. */
import { type Random, randomOf } from '../../random.ts'
import { createCurrents } from './currents.ts'
import { createLandscape } from './landscape.ts'
import { paletteOf } from './palette.ts'
import type { Scene } from './scene.ts'
import { createShapes } from './shapes.ts'

type SceneMaker = (prompt: string, random: Random) => Scene

const landscape: SceneMaker = (prompt, random) => createLandscape(paletteOf(prompt, random), random)
const currents: SceneMaker = (prompt, random) => createCurrents(paletteOf(prompt, random), random)
const shapes: SceneMaker = (prompt, random) => createShapes(paletteOf(prompt, random), random)

/** What a prompt may name. */
const SUBJECTS: readonly (readonly [RegExp, SceneMaker])[] = [
  [/\b(mountains?|hills?|landscape|sunset|sunrise|lake|valley|sea|beach|forest|nature)\b/i, landscape],
  [/\b(abstract|waves?|fluid|smoke|silk|clouds?|marble|aurora|galaxy|space)\b/i, currents],
  [/\b(geometric|shapes?|circles?|poster|logo|pattern|bauhaus|minimal)\b/i, shapes],
]

/** The same prompt and seed are the same scene. */
export function sceneOf(prompt: string, seed: number | string): Scene {
  const random = randomOf('picture', prompt, String(seed))
  const any = random.pick([landscape, currents, shapes])
  const named = SUBJECTS.find(([words]) => words.test(prompt))?.[1]
  return (named ?? any)(prompt, random)
}
