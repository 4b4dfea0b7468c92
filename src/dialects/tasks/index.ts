/** A small API for three models: create a task, ask for it until its status is a number that ends it. */
import { defineDialect } from '#dialect-kit/define-dialect.ts'
import { createTask } from './create.ts'
import { renderError } from './errors.ts'
import { queryTask } from './query.ts'
import { taskDataOf } from './task-data.ts'

export default defineDialect({
  id: 'tasks',
  endpoints: [createTask, queryTask],
  renderError,
  renderCallback: (task, stage, credits) =>
    stage === undefined ? { code: 200, msg: 'ok', data: taskDataOf(task, credits) } : undefined,
})
