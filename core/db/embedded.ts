import { createHash } from 'node:crypto'
import { rmdir } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import type { PluginLog } from '@gatehouse/sdk'
import { GatehouseError } from '../errors.js'
import { openCluster } from './embedded-cluster.js'
import type { Cluster } from './embedded-cluster.js'
import { connect, reachServer } from './embedded-server.js'
import type { Server } from './embedded-server.js'

const lockKey = createHash('sha256').update('gatehouse embedded database').digest().readInt32BE()
const takeoverMs = 3000
const retryMs = 200

export interface EmbeddedOptions {
  /** The home of this gateway; the database lies in `pg-<major>` in it. */
  readonly dir: string
  readonly log: PluginLog
  /** For tests: nothing is synced to disk and the server ends with the process group of its starter. */
  readonly throwaway?: boolean
}

export interface EmbeddedDatabase {
  /** A connection URL (unix socket only) that `pg` and TypeORM take as it is. Holds the password: never log it. */
  readonly url: string
  /** Fast shutdown: open transactions are rolled back, what was committed is on disk when this resolves. */
  stop(): Promise<void>
}

/**
 * Starts the PostgreSQL that comes with the packages, or adopts the one that a killed process left running on the same
 * folder. One process at a time owns a folder: it holds an advisory lock on a connection of its own, which falls with
 * the process. A server that dies is started again; queries in between fail.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const cluster = await openCluster(options)
  const keeper = new Keeper(cluster, options.log)
  await keeper.take()
  return { url: cluster.url, stop: () => keeper.stop() }
}

type Connection = Awaited<ReturnType<typeof connect>>

class Keeper {
  private server: Server | undefined
  private connection: Connection | undefined
  private stopping = false
  private retaking: Promise<void> | undefined

  constructor(
    private readonly cluster: Cluster,
    private readonly log: PluginLog,
  ) {}

  async take(): Promise<void> {
    const server = await reachServer(this.cluster, this.log)
    const connection = await this.open(server)
    await this.lock(connection)
    await createDatabase(connection, this.cluster.database)
    connection.once('end', () => (this.retaking = this.retake()))
    this.server = server
    this.connection = connection
  }

  async stop(): Promise<void> {
    this.stopping = true
    await this.retaking
    // The lock is given up after the server's end, so that nobody can adopt a server that is about to stop.
    await this.server?.stop()
    await this.connection?.end().catch(() => undefined)
    // The folder of the socket stays while it is within the data folder, and goes when it was made for the path's sake.
    if (!this.cluster.socketDir.startsWith(this.cluster.dir)) await rmdir(this.cluster.socketDir).catch(() => undefined)
  }

  private async open(server: Server): Promise<Connection> {
    try {
      const connection = await connect(this.cluster, server.socketDir)
      return connection.on('error', () => undefined)
    } catch (cause) {
      await server.stop()
      throw new GatehouseError('GH_DB_EMBEDDED', {
        message: `The embedded database in ${this.cluster.dir} starts, but refuses the password that is stored there.`,
        cause,
      })
    }
  }

  /** A former owner's lock falls when the server notices its end: wait a moment before calling it alive. */
  private async lock(connection: Connection): Promise<void> {
    const until = Date.now() + takeoverMs
    while (!(await tryLock(connection))) {
      if (Date.now() > until) {
        await connection.end()
        throw heldByAnother(this.cluster.dir)
      }
      await wait(retryMs)
    }
  }

  private async retake(): Promise<void> {
    if (!this.stopping) this.log.error({}, 'the embedded database ended unexpectedly; starting it again')
    while (!this.stopping) {
      try {
        await this.take()
        this.log.info({}, 'the embedded database runs again')
        return
      } catch (error) {
        this.log.error({ error: String(error) }, 'the embedded database does not start')
        await wait(retryMs)
      }
    }
  }
}

async function tryLock(connection: Connection): Promise<boolean> {
  const { rows } = await connection.query<{ mine: boolean }>('SELECT pg_try_advisory_lock($1) AS mine', [lockKey])
  return rows[0]?.mine === true
}

async function createDatabase(connection: Connection, name: string): Promise<void> {
  const { rowCount } = await connection.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])
  if (rowCount === 0) await connection.query(`CREATE DATABASE ${connection.escapeIdentifier(name)}`)
}

function heldByAnother(dir: string): GatehouseError {
  return new GatehouseError('GH_DB_HELD', {
    message:
      `Another Gatehouse runs on the data folder ${dir}. The embedded database serves one process: stop the other ` +
      'one, choose another GATEHOUSE_HOME, or set DATABASE_URL to a PostgreSQL server that all replicas share.',
  })
}
