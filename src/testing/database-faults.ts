/** A database that goes away when a test says so. */
import type { Database } from '#platform/postgres/database.ts'
import { CommitUnknown, NotSent } from '#platform/postgres/errors.ts'
import type { Lane } from '#platform/postgres/lane.ts'

/**
 * - `away`: nothing reaches the server.
 * - `silent`: what is sent is done, and its answer is lost.
 */
export type DatabaseFault = 'away' | 'silent'

export class DatabaseFaults {
  /** What is wrong with the connection that carries holds and ends. */
  laneFault: DatabaseFault | undefined = undefined
  /** What is wrong with every other connection. */
  poolFault: DatabaseFault | undefined = undefined
  readonly lane: Lane
  readonly database: Database

  constructor(database: Database, lane: Lane) {
    this.lane = {
      run: (name, text, values) => faulty(this.laneFault, () => lane.run(name, text, values)),
      stats: () => lane.stats(),
      end: () => lane.end(),
    }
    this.database = {
      query: (name, text, values) => faulty(this.poolFault, () => database.query(name, text, values)),
      transaction: (work, bounds) => faulty(this.poolFault, () => database.transaction(work, bounds)),
      stats: () => database.stats(),
      end: () => database.end(),
    }
  }

  /** Nothing reaches the server, on any connection. */
  goAway(): void {
    this.laneFault = 'away'
    this.poolFault = 'away'
  }

  comeBack(): void {
    this.laneFault = undefined
    this.poolFault = undefined
  }
}

async function faulty<Answer>(fault: DatabaseFault | undefined, run: () => Promise<Answer>): Promise<Answer> {
  if (fault === 'away') throw new NotSent('the database is away')
  const answer = await run()
  if (fault === 'silent') throw new CommitUnknown('the answer was lost')
  return answer
}
