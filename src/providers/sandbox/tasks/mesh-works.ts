/** Shapes, each with a picture of it. */
import type { MeshRequest } from '#spec/mesh.ts'
import type { ProviderOutput } from '#spec/task-provider.ts'
import type { TaskOrder } from './order.ts'
import { madeFile, seedOf, subjectOf, type Work, type Workshop } from './workshop.ts'

const PICTURE_PX = 768

export function meshWork(order: TaskOrder<MeshRequest>, { studio, context }: Workshop): Work {
  const outputs = Array.from({ length: order.count }, (_, index): ProviderOutput[] => {
    const shape = { prompt: subjectOf(order), seed: seedOf(order, index) }
    const size = { widthPx: PICTURE_PX, heightPx: PICTURE_PX, format: 'png' } as const
    const model = madeFile(() => studio.modelMesh(shape, context.signal))
    const picture = madeFile(() => studio.renderMesh({ ...shape, ...size }, context.signal))
    return [
      { kind: 'mesh', role: 'result', index, source: model, metadata: {} },
      { kind: 'image', role: 'cover', index, source: picture, metadata: {} },
    ]
  })
  return { outputs: outputs.flat() }
}
