/**
 * OpenAI's API: chat completions, embeddings and models, and our own `/me`, `/quote` and `/receipts` beside them. `kieChat`
 * is a dialect of its own in the same format, under paths that begin with a model.
 */
import { defineDialect } from '#dialect-kit/define-dialect.ts'
import { errorObject } from '#dialect-kit/error-object.ts'
import { jsonAnswer } from '#dialect-kit/json-answer.ts'
import { chatCompletions } from './chat-completions.ts'
import { embeddings } from './embeddings.ts'
import { me } from './me.ts'
import { listModels, retrieveModel } from './models.ts'
import { quote } from './quote.ts'
import { receipts } from './receipts.ts'
import { unsupported } from './unsupported.ts'

export { kieChat } from './kie-chat.ts'

export default defineDialect({
  id: 'openai',
  endpoints: [chatCompletions, embeddings, listModels, retrieveModel, me, quote, receipts, ...unsupported],
  renderError: (error, _call, gateway) => jsonAnswer(error.status, errorObject(error, gateway.credits)),
})
