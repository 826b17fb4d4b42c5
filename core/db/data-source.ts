import { DataSource } from 'typeorm'
import type { PluginLog } from '@gatehouse/sdk'
import { AssignmentEntity, GatewayEntity, RuleEntity } from './entities/gateway.js'
import { ConnectionEntity, HostEntity, TokenEntity } from './entities/host.js'
import { RoleEntity, TeamEntity, UserEntity } from './entities/people.js'
import { AlertTargetEntity } from './entities/alert-target.js'
import { ArtifactEntity } from './entities/artifact.js'
import { EngineEntity } from './entities/engine.js'
import { IdpEntity } from './entities/idp.js'
import { ExporterEntity, IdentityEntity, ServerEntity } from './entities/server.js'
import { asDatabaseError } from './repositories/failures.js'
import { Initial1795305600001 } from './migrations/0001-initial.js'
import { SessionState1795392000002 } from './migrations/0002-session-state.js'
import { Replicas1795478400003 } from './migrations/0003-replicas.js'
import { Connections1795910400008 } from './migrations/0008-connections.js'
import { SigningIn1795564800004 } from './migrations/0004-signing-in.js'
import { People1795651200005 } from './migrations/0005-people.js'
import { UpstreamAuth1795824000007 } from './migrations/0007-upstream-auth.js'
import { AuthorizationServer1795737600006 } from './migrations/0006-authorization-server.js'
import { Sso1795996800009 } from './migrations/0009-sso.js'
import { RootMessages1796083200010 } from './migrations/0010-root-messages.js'
import { Alerts1796342400013 } from './migrations/0013-alerts.js'
import { Engines1796169600011 } from './migrations/0011-engines.js'
import { Features1796256000012 } from './migrations/0012-features.js'
import { Backtest1796428800014 } from './migrations/0014-backtest.js'
import { Poisoning1796515200015 } from './migrations/0015-poisoning.js'
import { Artifacts1796601600016 } from './migrations/0016-artifacts.js'
import { RuleWatch1796688000017 } from './migrations/0017-rule-watch.js'
import { Receipts1796774400018 } from './migrations/0018-receipts.js'
import { PluginStore1796860800019 } from './migrations/0019-plugin-store.js'

const ENTITIES = [
  ServerEntity,
  IdentityEntity,
  ExporterEntity,
  GatewayEntity,
  AssignmentEntity,
  RuleEntity,
  TeamEntity,
  UserEntity,
  RoleEntity,
  HostEntity,
  ConnectionEntity,
  TokenEntity,
  IdpEntity,
  AlertTargetEntity,
  EngineEntity,
  ArtifactEntity,
]

/** In the order of their times; each is run once. */
const MIGRATIONS = [
  Initial1795305600001,
  SessionState1795392000002,
  Replicas1795478400003,
  SigningIn1795564800004,
  People1795651200005,
  AuthorizationServer1795737600006,
  UpstreamAuth1795824000007,
  Connections1795910400008,
  Sso1795996800009,
  RootMessages1796083200010,
  Alerts1796342400013,
  Engines1796169600011,
  Features1796256000012,
  Backtest1796428800014,
  Poisoning1796515200015,
  Artifacts1796601600016,
  RuleWatch1796688000017,
  Receipts1796774400018,
  PluginStore1796860800019,
]

/** Any number will do, as long as every replica takes the same. */
const MIGRATION_LOCK = 7_014_001

export interface DataSourceOptions {
  readonly log: Pick<PluginLog, 'warn'>
  /** Most connections of this process; the embedded server takes 50 in all. */
  readonly poolSize?: number
}

/**
 * A data source that is not connected yet. The URL goes to `pg` untouched: TypeORM's own parser knows no `?host=` and no
 * `sslmode`. A connection that breaks is dropped by the pool and made anew at the next use.
 */
export function createDataSource(url: string, { log, poolSize = 16 }: DataSourceOptions): DataSource {
  const bare = new URL(url)
  bare.search = ''
  return new DataSource({
    type: 'postgres',
    url: bare.href,
    applicationName: 'gatehouse',
    poolSize,
    connectTimeoutMS: 5_000,
    extra: { connectionString: url, keepAlive: true },
    poolErrorHandler: (error: unknown) => log.warn({ error: String(error) }, 'a database connection broke'),
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    synchronize: false,
    migrationsRun: false,
    migrationsTableName: 'migrations',
    logging: false,
    entities: ENTITIES,
    migrations: MIGRATIONS,
  })
}

/** Brings the schema up to date. Replicas that start together take turns; answers how many migrations were run. */
export async function migrate(dataSource: DataSource): Promise<number> {
  const runner = dataSource.createQueryRunner()
  try {
    await runner.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    try {
      return (await dataSource.runMigrations({ transaction: 'each' })).length
    } finally {
      await runner.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined)
    }
  } catch (thrown) {
    throw asDatabaseError(thrown)
  } finally {
    await runner.release()
  }
}

/** Connects and migrates; GH_DB_UNAVAILABLE when nobody answers. */
export async function openDatabase(url: string, options: DataSourceOptions): Promise<DataSource> {
  const dataSource = createDataSource(url, options)
  try {
    await dataSource.initialize()
    await migrate(dataSource)
    return dataSource
  } catch (thrown) {
    if (dataSource.isInitialized) await dataSource.destroy()
    throw asDatabaseError(thrown)
  }
}
