import type pg from 'pg'

const OLDEST = 16
const NEWEST = 18

/**
 * Refuses, with a sentence, a server that is not PostgreSQL 16 to 18: wire-compatible databases lack the locks and
 * the statements that keep money exact, and some of them report a PostgreSQL version.
 */
export async function assertSupportedServer(client: Pick<pg.Client, 'query'>): Promise<void> {
  const { rows } = await client.query<{ banner: string; number: string }>(
    "SELECT version() AS banner, current_setting('server_version_num') AS number",
  )
  const refusal = refuseServer(rows[0]?.banner ?? '', Number(rows[0]?.number))
  if (refusal !== undefined) throw new Error(refusal)
}

/** Why a server with this `version()` and `server_version_num` can't be used, or undefined. */
export function refuseServer(banner: string, number: number): string | undefined {
  const imitation =
    /cockroach|yugabyte|-YB-|redshift|greenplum|materialize|risingwave|questdb|cratedb|spanner|dsql/i
  if (!banner.startsWith('PostgreSQL ') || imitation.test(banner)) {
    return (
      `DATABASE_URL leads to "${banner.slice(0, 60)}", which speaks PostgreSQL's protocol but is not PostgreSQL. ` +
      `Tollgate needs PostgreSQL ${OLDEST} to ${NEWEST}.`
    )
  }
  const major = Math.trunc(number / 10_000)
  if (major >= OLDEST && major <= NEWEST) return undefined
  return `DATABASE_URL leads to PostgreSQL ${major}; Tollgate needs PostgreSQL ${OLDEST} to ${NEWEST}.`
}
