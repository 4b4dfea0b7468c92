/** The declarative engine for vendors of media tasks. */
export { defineTaskProvider } from './define-task-provider.ts'
export { verifierWithSecret } from './kept-secret.ts'
export { type InputSignature, parseSignature, parseSignatures } from './signature.ts'
export type {
  CallbackFacts,
  CallbackVerifier,
  Condition,
  FailureRules,
  FamilySpec,
  FieldRule,
  OutputRule,
  PollRule,
  StateRule,
  TaskProviderSpec,
} from './spec.ts'
export { isRecent, isSignedWith } from './standard-webhooks.ts'
export { createCall } from './start-task.ts'
export { sameText } from './task-callback.ts'
export { matches } from './vendor-line.ts'
export { type FactRule, VOCABULARY, type Vocabulary } from './vocabulary.ts'
