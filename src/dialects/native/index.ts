/** Our own pages about tasks, whichever API they were asked for in: look, list, follow, cancel. */
import { defineDialect } from '#dialect-kit/define-dialect.ts'
import { errorObject } from '#dialect-kit/error-object.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import { generationEvents } from './events.ts'
import { generationBody } from './generation.ts'
import { cancelGeneration, listGenerations, retrieveGeneration } from './retrieve.ts'

export default defineDialect({
  id: 'native',
  endpoints: [listGenerations, retrieveGeneration, generationEvents, cancelGeneration],
  renderError: (error, _call, gateway) => jsonAnswer(error.status, errorObject(error, gateway.credits)),
  renderCallback: (task, stage, credits) => ({
    object: 'event',
    type: `generation.${stage ?? task.state}`,
    data: generationBody(task, credits),
  }),
})
