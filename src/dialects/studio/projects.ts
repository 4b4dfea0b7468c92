/** `GET /projects`: what the workspace has made, through whichever API. */
import { z } from 'zod'
import { checkSchema } from '#dialect-kit/schema-errors.ts'
import { pictureUrlOf, resultsOf } from '#dialect-kit/task-results.ts'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { MediaOperationName } from '#spec/operation.ts'
import type { Artifact, TaskQuery, TaskView } from '#spec/task.ts'
import { studioEndpoint, success, successOf, TAG } from './studio-endpoint.ts'

const MAX_LIMIT = 100

/** What each filter lets through. Sounds are listed only where they are asked for. */
const OPERATIONS = {
  all: ['image', 'video', 'mesh'],
  images: ['image'],
  videos: ['video'],
  '3d': ['mesh'],
  audio: ['music', 'speech'],
} as const satisfies Readonly<Record<string, readonly MediaOperationName[]>>

const SORTS = { createdAt: 'created_at', file_size: 'size_bytes' } as const

const TYPES: Record<MediaOperationName, string> = {
  image: 'image',
  video: 'video',
  mesh: '3d',
  music: 'audio',
  speech: 'audio',
}

const wholeNumber = z.string().regex(/^[1-9]\d{0,8}$/, 'a whole number of at least 1')

const projectsQuery = z.looseObject({
  type: z.enum(['all', 'images', 'videos', '3d', 'audio']).optional().describe('Default all: no audio'),
  page: wholeNumber.optional().describe('Default 1'),
  limit: wholeNumber.optional().describe(`Default 20, at most ${MAX_LIMIT}`),
  sort: z.enum(['createdAt', 'file_size']).optional().describe('Default createdAt'),
  order: z.enum(['asc', 'desc']).optional().describe('Default desc'),
})

const project = z.object({
  id: z.string(),
  type: z.string(),
  prompt: z.string(),
  created_at: z.string(),
  url: z.string().nullable(),
  thumbnail: z.string().nullable(),
  metadata: z.looseObject({ file_size: z.int() }),
  urls: z.array(z.string()).optional().describe('Every file, where there is more than one'),
})

export const listProjects = studioEndpoint({
  method: 'GET',
  path: '/projects',
  reference: {
    summary: 'List what was generated',
    description: 'Finished generations of the workspace, from every API, newest first.',
    tag: TAG,
    query: projectsQuery,
    answer: successOf(
      z.object({
        projects: z.array(project),
        pagination: z.object({
          page: z.int(),
          limit: z.int(),
          total: z.int(),
          pages: z.int(),
          has_more: z.boolean(),
        }),
      }),
    ),
    example: { query: { type: 'images', page: '1', limit: '10', sort: 'createdAt', order: 'desc' } },
  },
  async answer({ request, call, gateway }) {
    const { page, query } = pageOf(request.query)
    const { tasks, total } = await gateway.listTasks(call, query)
    const { limit } = query
    return success({
      projects: tasks.map(projectOf),
      pagination: { page, limit, total, pages: Math.ceil(total / limit), has_more: page * limit < total },
    })
  },
})

function pageOf(sent: Readonly<Record<string, string>>): { page: number; query: TaskQuery } {
  const asked = checkSchema(projectsQuery, { ...sent })
  const page = Number(asked.page ?? 1)
  const limit = Math.min(Number(asked.limit ?? 20), MAX_LIMIT)
  return {
    page,
    query: {
      operations: OPERATIONS[asked.type ?? 'all'],
      states: ['succeeded'],
      sort: SORTS[asked.sort ?? 'createdAt'],
      order: asked.order ?? 'desc',
      offset: (page - 1) * limit,
      limit,
    },
  }
}

/** One generation. Of several files the first is shown, and all of them are weighed and listed. */
export function projectOf(task: TaskView): JsonObject {
  const results = resultsOf(task)
  const [first] = results
  return {
    id: renderTaskId(task.id),
    type: TYPES[task.request.operation],
    prompt: task.request.prompt,
    created_at: task.createdAt.toISOString(),
    url: first?.url ?? null,
    thumbnail: (first && pictureUrlOf(task, first)) ?? null,
    metadata: metadataOf(task, results),
    ...(results.length > 1 && { urls: results.map(({ url }) => url) }),
  }
}

function metadataOf({ request }: TaskView, results: readonly Artifact[]): JsonObject {
  const [first] = results
  const isSeen = first?.widthPx !== undefined && first.heightPx !== undefined
  return {
    ...('aspectRatio' in request &&
      request.aspectRatio !== undefined && { aspect_ratio: request.aspectRatio }),
    file_size: results.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    ...(isSeen && { dimensions: `${first.widthPx}x${first.heightPx}` }),
    ...(first?.durationMs !== undefined && { duration: first.durationMs / 1000 }),
    ...(results.length > 1 && { count: results.length }),
  }
}
