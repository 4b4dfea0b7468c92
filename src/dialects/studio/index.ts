/** Images, videos and shapes at once, and the list of what was made; a bucket of requests by the hour. */
import { defineDialect } from '#dialect-kit/define-dialect.ts'
import { renderCallback } from './callbacks.ts'
import { renderError } from './errors.ts'
import { enterHour } from './hourly.ts'
import { createImages } from './images.ts'
import { listProjects } from './projects.ts'
import { createShape } from './shapes.ts'
import { createVideo } from './videos.ts'

export default defineDialect({
  id: 'studio',
  endpoints: [createImages, createVideo, createShape, listProjects],
  enter: enterHour,
  renderError,
  renderCallback: (task, stage) => (stage === undefined ? renderCallback(task) : undefined),
})
