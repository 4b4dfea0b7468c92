/** The simplest of the APIs: words in, addresses of images out, fourteen models at fixed prices. */
import { chargedNumber } from '#dialect-kit/credit-number.ts'
import { defineDialect } from '#dialect-kit/define-dialect.ts'
import { failureSentence } from '#dialect-kit/task-results.ts'
import { renderTaskId } from '#spec/ids.ts'
import type { JsonObject } from '#spec/json.ts'
import type { CreditScale } from '#spec/money.ts'
import type { TaskView } from '#spec/task.ts'
import { balance } from './balance.ts'
import { renderError } from './errors.ts'
import { generate, generationFields } from './generate.ts'
import { listModels } from './models.ts'

export default defineDialect({
  id: 'imgeo',
  endpoints: [generate, listModels, balance],
  renderError,
  renderCallback: (task, stage, credits) => (stage === undefined ? callbackOf(task, credits) : undefined),
})

/** The answer of the call, with the task's id; of a failure, its sentence. The balance is not a task's to tell. */
function callbackOf(task: TaskView, credits: CreditScale): JsonObject {
  const error = failureSentence(task)
  return {
    id: renderTaskId(task.id),
    ...generationFields(task),
    credits: chargedNumber(task.chargedNanoUsd, credits),
    ...(error !== undefined && { error }),
  }
}
