/** The seam to the catalogue: what the pages allow, its models allow too. */

import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { serveInMemory } from '#dialect-kit/in-memory-http.ts'
import { GOOD_KEY, ScriptedGateway } from '#dialect-kit/scripted-gateway.ts'
import { completeMedia, loadCatalog } from '#modules/catalog/index.ts'
import type { Submission } from '#spec/gateway.ts'
import type { MediaOperation } from '#spec/operation.ts'
import type { TaskView } from '#spec/task.ts'
import kie from './index.ts'
import { type FieldRule, MARKET } from './market/rule.ts'
import {
  artifact,
  MADE,
  PARENT_ID,
  PARENT_VIDEO,
  parentFor,
  SCRIPT,
  songTask,
  TRACK_ID,
} from './test-script.ts'

const catalog = loadCatalog({ folders: [fileURLToPath(new URL('../../../catalog', import.meta.url))] })
const models = catalog.list('test').flatMap(model => [model, ...model.aliases.map(id => ({ ...model, id }))])

/** Sends the body, and completes what is submitted by the model that serves the name. */
async function completed(path: string, body: object): Promise<MediaOperation> {
  const tasks = [parentOf(path)]
  const submitted = [songTask({ result: MADE })]
  const gateway = new ScriptedGateway({ ...SCRIPT, models, tasks, submitted })
  const headers = { authorization: `Bearer ${GOOD_KEY}` }
  const answer = await serveInMemory(kie, gateway, {
    method: 'POST',
    url: path,
    headers,
    body: JSON.stringify(body),
  })
  const asked = gateway.asked.find(({ method }) => method.startsWith('submit'))?.argument as Submission
  if (asked === undefined) throw new Error(answer.body.toString())
  const resolved = catalog.resolve(asked.request.model, { mode: 'test', today: '2026-01-01' })
  return completeMedia(resolved.model, asked.request, resolved.action)
}

/** What the market's models go on from made a picture and a video. */
const PARENT_MEDIA = { ...PARENT_VIDEO, artifacts: [artifact('image', 0), artifact('video', 1)] }

function parentOf(path: string): TaskView {
  return path.startsWith('/jobs/') ? PARENT_MEDIA : parentFor(path)
}

function sampleOf(name: string, rule: FieldRule): unknown {
  if (rule.enum !== undefined) return rule.enum[0]
  if (rule.default !== undefined) return rule.default
  switch (rule.type) {
    case 'string':
      if (/task_?id$/i.test(name)) return PARENT_ID
      return /url|image|video|audio|frame|mask/.test(name) ? 'https://a.example/x' : 'some words'
    case 'boolean':
      return false
    case 'array': {
      const length = Math.max(rule.count?.min ?? 1, 1)
      return Array.from({ length }, () => sampleOf(name, rule.items ?? { type: 'any' }))
    }
    case 'object':
      return Object.fromEntries(
        Object.entries(rule.fields ?? {}).map(([field, each]) => [field, sampleOf(field, each)]),
      )
    default:
      return rule.range?.min ?? 5
  }
}

/** Files that a page does not call required, although its model makes nothing without any of them. */
const FILE_FIELD = /^(first_frame(_url)?|reference_image(_urls)?|image_urls)$/
const WORKS_FROM_WORDS: ReadonlySet<string> = new Set(
  [...MARKET].filter(([, { action }]) => action?.startsWith('text2')).map(([id]) => id),
)

/** The shortest input of each alternative, and that input with each value of each list once. */
function inputsOf(id: string): Record<string, unknown>[] {
  return (MARKET.get(id)?.inputs ?? []).flatMap(rules => {
    const file = Object.keys(rules).find(name => FILE_FIELD.test(name))
    const needed = Object.entries(rules).filter(
      ([name, rule]) => rule.required || name === 'prompt' || (name === file && !WORKS_FROM_WORDS.has(id)),
    )
    const least = Object.fromEntries(needed.map(([name, rule]) => [name, sampleOf(name, rule)]))
    const variants = [
      'aspect_ratio',
      'image_size',
      'ratio',
      'resolution',
      'duration',
      'quality',
      'image_resolution',
      'mode',
      'n_frames',
      'num_images',
    ]
    return [
      least,
      ...variants.flatMap(name => (rules[name]?.enum ?? []).map(value => ({ ...least, [name]: value }))),
      ...['min', 'max'].flatMap(end => {
        const bound = rules.duration?.range?.[end as 'min' | 'max']
        return bound === undefined ? [] : [{ ...least, duration: bound }]
      }),
    ]
  })
}

describe('a market id', () => {
  it.each([...MARKET.keys()])('%s: its model takes what its page allows', async id => {
    const problems: string[] = []
    for (const input of inputsOf(id)) {
      await completed('/jobs/createTask', { model: id, input }).catch(error =>
        problems.push(`${JSON.stringify(input)}: ${error.message}`),
      )
    }
    expect(problems).toEqual([])
  })
})

const CREATING = kie.endpoints.flatMap(({ path, reference }) => {
  const body = reference?.example.body
  return body === undefined || /download-url|check-voice/.test(path) ? [] : [{ path, body: body as object }]
})

it.each(CREATING)('the example of $path is served by a model of the catalogue', async ({ path, body }) => {
  const known = {
    ...body,
    ...('taskId' in body && { taskId: PARENT_ID }),
    ...('audioId' in body && { audioId: TRACK_ID }),
  }
  await expect(completed(path, known)).resolves.toHaveProperty('action')
})
