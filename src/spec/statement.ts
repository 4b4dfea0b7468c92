/**
 * Part of an SQL statement that one module writes and another carries, so that both commit together or not at all: a
 * hold and its task, the end of a task and its charge. The gateway hands parts from one to the other and never looks
 * inside; the database sees one statement, in one round trip.
 */
export interface StatementPart {
  /** The SQL, its parameters numbered from `first`. What it must be is said where a part is asked for. */
  readonly text: (first: number) => string
  readonly values: readonly unknown[]
}
