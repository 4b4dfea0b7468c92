/** What stands in a glTF file's scene: surfaces of triangles, each at its place. Lines and bones are left out. */
import { type Accessor, openAccessor } from './accessor.ts'
import { type GltfDocument, itemOf } from './document.ts'
import { type Fields, fieldsOf, listOf, numbersOf, whole } from './fields.ts'
import { type Material, materialsOf, type TextureUse } from './material.ts'
import { after, fromColumns, fromParts, IDENTITY, type Matrix } from './matrix.ts'
import { ifReadable, UnreadableMesh } from './unreadable.ts'

export interface Shape {
  readonly triangles: number
  /** `undefined`: three vertices a triangle, one after the other. */
  readonly indices: Accessor | undefined
  readonly positions: Accessor
  readonly normals: Accessor | undefined
  readonly colours: Accessor | undefined
  readonly material: Material
  readonly colourTexture: PlacedTexture | undefined
  readonly glowTexture: PlacedTexture | undefined
  readonly toWorld: Matrix
}

/** A texture, and where in it each vertex is. */
export interface PlacedTexture {
  readonly use: TextureUse
  readonly coordinates: Accessor
}

const MOST_TRIANGLES = 2_000_000
/** Parts at places, drawn or not: a mesh may stand at many. */
const MOST_PARTS = 100_000
const TRIANGLES = 4

/** The surfaces of the file's scene; throws UnreadableMesh. */
export function shapesOf(document: GltfDocument): readonly Shape[] {
  const shapes: Shape[] = []
  const materialAt = materialsOf(document)
  let parts = 0
  let triangles = 0
  for (const { node, toWorld } of placedNodes(document)) {
    if (node.mesh === undefined) continue
    for (const primitive of listOf(itemOf(document, 'meshes', node.mesh).primitives)) {
      parts += 1
      if (parts > MOST_PARTS) throw new UnreadableMesh('too many parts')
      const shape = shapeOf(document, fieldsOf(primitive), toWorld, materialAt)
      if (shape === undefined) continue
      triangles += shape.triangles
      if (triangles > MOST_TRIANGLES) throw new UnreadableMesh('too many triangles')
      shapes.push(shape)
    }
  }
  return shapes
}

interface PlacedNode {
  readonly node: Fields
  readonly toWorld: Matrix
}

/** Nodes are trees (§3.5.2): one that is met twice is refused, so a circle ends. */
function placedNodes(document: GltfDocument): readonly PlacedNode[] {
  const waiting = rootsOf(document).map(index => ({ index, parent: IDENTITY }))
  const met = new Set<unknown>()
  const placed: PlacedNode[] = []
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (met.has(next.index)) throw new UnreadableMesh('a node stands at two places')
    met.add(next.index)
    const node = itemOf(document, 'nodes', next.index)
    const toWorld = after(next.parent, transformOf(node))
    placed.push({ node, toWorld })
    for (const index of listOf(node.children)) waiting.push({ index, parent: toWorld })
  }
  return placed
}

/** Of the scene that is to be shown first; in a file without any, the nodes that hang on no other. */
function rootsOf(document: GltfDocument): unknown[] {
  const { scene, scenes, nodes } = document.json
  if (scenes !== undefined) return [...listOf(itemOf(document, 'scenes', whole(scene, 0)).nodes)]
  const children = new Set(listOf(nodes).flatMap(node => listOf(fieldsOf(node).children)))
  return [...listOf(nodes).keys()].filter(index => !children.has(index))
}

function transformOf(node: Fields): Matrix {
  const matrix = numbersOf(node.matrix, 16)
  if (matrix !== undefined) return fromColumns(matrix)
  return fromParts(
    numbersOf(node.translation, 3) ?? [0, 0, 0],
    numbersOf(node.rotation, 4) ?? [0, 0, 0, 1],
    numbersOf(node.scale, 3) ?? [1, 1, 1],
  )
}

/** `undefined` for lines, points, strips and fans. */
function shapeOf(
  document: GltfDocument,
  primitive: Fields,
  toWorld: Matrix,
  materialAt: (index: unknown) => Material,
): Shape | undefined {
  if (whole(primitive.mode, TRIANGLES) !== TRIANGLES) return undefined
  const attributes = fieldsOf(primitive.attributes)
  const positions = openAccessor(document, attributes.POSITION)
  const indices = primitive.indices === undefined ? undefined : openAccessor(document, primitive.indices)
  if (positions.components !== 3 || (indices && indices.components !== 1)) {
    throw new UnreadableMesh('a surface of another kind of numbers')
  }
  const beside = (name: string, leastComponents: number) => {
    const accessor = attributes[name] === undefined ? undefined : openAccessor(document, attributes[name])
    const fits = accessor && accessor.components >= leastComponents && accessor.count === positions.count
    return fits ? accessor : undefined
  }
  const placed = (use: TextureUse | undefined): PlacedTexture | undefined => {
    const coordinates = use && ifReadable(() => beside(`TEXCOORD_${use.texCoord}`, 2))
    return coordinates && { use, coordinates }
  }
  const material = materialAt(primitive.material)
  return {
    triangles: Math.floor((indices ?? positions).count / 3),
    indices,
    positions,
    normals: beside('NORMAL', 3),
    colours: beside('COLOR_0', 3),
    material,
    colourTexture: placed(material.colourTexture),
    glowTexture: placed(material.glowTexture),
    toWorld,
  }
}
