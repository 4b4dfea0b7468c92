/** How the database can fail its callers. Messages may reach a log: none holds a value, a secret or a URL. */
import pg from 'pg'

/** No connection could be made, or the connection was lost, or the server refuses work for now. */
export class DatabaseUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DatabaseUnavailable'
  }
}

/** Nothing of the statement (or transaction) was committed: it may be sent again. */
export class NotSent extends DatabaseUnavailable {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'NotSent'
  }
}

/** The connection was lost after the statement was sent: look up whether it was committed, never repeat it blindly. */
export class CommitUnknown extends DatabaseUnavailable {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CommitUnknown'
  }
}

/** The server refused one statement; the connection lives. `code` is the SQLSTATE. */
export class StatementFailed extends Error {
  readonly code: string
  /** The name of the broken constraint, for class 23. */
  readonly constraint: string | undefined
  constructor(statement: string, failure: pg.DatabaseError) {
    super(`statement ${statement} failed: ${describe(failure)}`)
    this.name = 'StatementFailed'
    this.code = failure.code ?? 'XX000'
    this.constraint = failure.constraint
  }
}

/** DATA_DIR is in use by another process of ours that is not about to give it back. */
export class DataDirInUse extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DataDirInUse'
  }
}

/** Class 22 (data exceptions) quotes the value it could not read, so only its code is told. */
function describe(failure: pg.DatabaseError): string {
  const code = failure.code ?? 'XX000'
  return code.startsWith('22') ? `SQLSTATE ${code}` : `${failure.message} (SQLSTATE ${code})`
}

/** What a statement's failure means to its caller, when the connection was good at the start. */
export function statementError(statement: string, cause: unknown): Error {
  if (cause instanceof Error && NEVER_SENT_MESSAGES.test(cause.message)) {
    return new NotSent(`connection lost before statement ${statement} was sent`, { cause: bare(cause) })
  }
  if (isReadOnlyServer(cause)) {
    return new NotSent(`the server is a standby that can't run statement ${statement}`, {
      cause: bare(cause),
    })
  }
  if (isConnectionLoss(cause)) {
    return new CommitUnknown(`connection lost while statement ${statement} was running`, {
      cause: bare(cause),
    })
  }
  if (cause instanceof pg.DatabaseError) return new StatementFailed(statement, cause)
  return cause instanceof Error ? cause : new Error(String(cause))
}

/** What a failure to get a connection means. A wrong password or database is no outage and passes as it is. */
export function connectError(cause: unknown): Error {
  const code = codeOf(cause)
  if (cause instanceof pg.DatabaseError && !TRY_LATER_STATES.test(code ?? '')) {
    return new Error(`the database refused the connection: ${describe(cause)}`)
  }
  return new NotSent(`no connection to the database: ${code ?? messageOf(cause)}`, { cause: bare(cause) })
}

/** Out of connections or memory, shutting down, starting up, and class 08. */
const TRY_LATER_STATES = /^(53...|57P0[1-5]|08...)$/
/** Shutdown, crash of another backend, starting up; and class 08. */
const LOSS_STATES = /^(57P0[1-5]|08...)$/
const NEVER_SENT_MESSAGES = /^Client (has encountered a connection error|was closed) and is not queryable/
const LOSS_MESSAGES =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|Query read timeout)/

/** Is this connection of no further use? */
export function isConnectionLoss(cause: unknown): boolean {
  if (isReadOnlyServer(cause)) return true
  if (cause instanceof pg.DatabaseError) {
    return LOSS_STATES.test(cause.code ?? '') || cause.severity === 'FATAL' || cause.severity === 'PANIC'
  }
  if (!(cause instanceof Error)) return false
  return (
    LOSS_MESSAGES.test(cause.message) || 'errno' in cause || 'syscall' in cause || codeOf(cause) === 'EPIPE'
  )
}

/** After a failover the old connection may lead to a standby; a new one leads to the new primary. */
function isReadOnlyServer(cause: unknown): boolean {
  return cause instanceof pg.DatabaseError && cause.code === '25006'
}

/** The server's message without what it may quote. */
function bare(cause: unknown): Error {
  return new Error(codeOf(cause) ?? messageOf(cause))
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
