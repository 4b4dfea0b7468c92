/** One request of a client, and what the scripted gateway knows when it comes. */
import type { GatewayScript } from '#dialect-kit/scripted-gateway.ts'
import type { Dialect } from '#spec/dialect.ts'
import type { TaskView } from '#spec/task.ts'

export interface Exchange {
  readonly name: string
  /** The page its request comes from. */
  readonly page: string
  readonly request: string
  readonly body?: unknown
  readonly script?: GatewayScript
  readonly dialect?: Dialect
}

/** The one task there is. */
export const found = (view: TaskView): GatewayScript => ({ tasks: [view] })
