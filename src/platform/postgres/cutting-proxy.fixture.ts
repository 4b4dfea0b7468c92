/** Stands between a client and the server, and loses the server's next answer when a test asks for it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { DatabaseAddress } from './database.ts'

export interface CuttingProxy {
  readonly address: DatabaseAddress
  /** The next answer of the server is swallowed, and its connection closed. */
  loseNextAnswer(): void
  close(): Promise<void>
}

export async function startCuttingProxy(to: DatabaseAddress): Promise<CuttingProxy> {
  const { host, port, user, database } = new pg.Client(to)
  const folder = await mkdtemp(join(tmpdir(), 'tollgate-proxy-'))
  const sockets = new Set<Socket>()
  let cut = false
  const server = createServer(client => {
    const upstream = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host)
    const destroyBoth = () => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', destroyBoth)
      socket.on('close', destroyBoth)
    }
    client.on('data', chunk => upstream.write(chunk))
    upstream.on('data', chunk => {
      if (cut) destroyBoth()
      else client.write(chunk)
      cut = false
    })
  })
  await new Promise<void>(resolve => server.listen(join(folder, '.s.PGSQL.5432'), resolve))
  return {
    address: { host: folder, port: 5432, user: user ?? 'tollgate', database: database ?? 'tollgate' },
    loseNextAnswer: () => {
      cut = true
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
