import type { DataSource, EntityManager } from 'typeorm'
import type { JsonObject } from '@gatehouse/sdk'
import { DEFAULT_LIMITS, DEFAULT_RULE_MODULES, DEFAULT_SETTINGS } from '../../domain/nouns.js'
import type { AlertTarget, Exporter, Idp, Role, Server, Settings } from '../../domain/nouns.js'
import type { InfoRepository, ListKind, ListRepository, SeenList, Store } from '../../domain/store.js'
import type { AlertTargetEntity } from '../entities/alert-target.js'
import type { RoleEntity } from '../entities/people.js'
import type { IdpEntity } from '../entities/idp.js'
import type { ExporterEntity, ServerEntity } from '../entities/server.js'
import { artifactRepository } from './artifacts.js'
import { engineRepository } from './engines.js'
import { guardAll, guarded } from './failures.js'
import { gatewayRepository } from './gateways.js'
import { connectionRepository, hostRepository } from './hosts.js'
import { idpLinkRepository } from './idp-links.js'
import { grantRepository, upstreamClientRepository } from './grants.js'
import { identityRepository } from './identities.js'
import { ALERT_TARGET, EXPORTER, IDP, ROLE, SERVER } from './kinds.js'
import { nameRepository } from './names.js'
import { teamRepository, userRepository } from './people.js'
import { rowRepository } from './rows.js'
import { featureRepository } from './features.js'
import { quarantineRepository } from './quarantines.js'
import { ruleStatRepository } from './rule-stats.js'
import { secretRepository } from './secrets.js'
import type { Sealer } from './secrets.js'
import { tokenRepository } from './tokens.js'

export interface StoreParts {
  readonly dataSource: DataSource
  readonly vault: Sealer
}

export function createStore({ dataSource, vault }: StoreParts): Store {
  return storeOver(dataSource.manager, vault)
}

function storeOver(manager: EntityManager, vault: Sealer): Store {
  return {
    servers: guardAll(rowRepository<Server, ServerEntity>(manager, SERVER)),
    gateways: guardAll(gatewayRepository(manager)),
    identities: guardAll(identityRepository(manager)),
    teams: guardAll(teamRepository(manager)),
    users: guardAll(userRepository(manager)),
    roles: guardAll(rowRepository<Role, RoleEntity>(manager, ROLE)),
    hosts: guardAll(hostRepository(manager)),
    connections: guardAll(connectionRepository(manager)),
    tokens: guardAll(tokenRepository(manager)),
    exporters: guardAll(rowRepository<Exporter, ExporterEntity>(manager, EXPORTER)),
    alertTargets: guardAll(rowRepository<AlertTarget, AlertTargetEntity>(manager, ALERT_TARGET)),
    engines: guardAll(engineRepository(manager)),
    artifacts: guardAll(artifactRepository(manager)),
    idps: guardAll(rowRepository<Idp, IdpEntity>(manager, IDP)),
    idpLinks: guardAll(idpLinkRepository(manager)),
    secrets: guardAll(secretRepository(manager, vault)),
    grants: guardAll(grantRepository(manager, vault)),
    upstreamClients: guardAll(upstreamClientRepository(manager, vault)),
    names: guardAll(nameRepository(manager)),
    lists: guardAll(listRepository(manager)),
    infos: guardAll(infoRepository(manager)),
    features: guardAll(featureRepository(manager)),
    quarantines: guardAll(quarantineRepository(manager)),
    ruleStats: guardAll(ruleStatRepository(manager)),
    settings: guardAll(settingsOver(manager)),
    transaction: (work) => guarded(() => manager.transaction((inside) => work(storeOver(inside, vault)))),
    ...guardAll(epochOver(manager)),
  }
}

function settingsOver(manager: EntityManager): Store['settings'] {
  return {
    get: async () => {
      const rows: { value: Partial<Settings> }[] = await manager.query('select value from settings')
      const value = rows[0]?.value ?? {}
      const parkedCalls = { ...DEFAULT_LIMITS.parkedCalls, ...value.limits?.parkedCalls }
      const retentionDays = { ...DEFAULT_SETTINGS.retentionDays, ...value.retentionDays }
      return {
        ...DEFAULT_SETTINGS,
        ...value,
        retentionDays,
        ruleModules: { ...DEFAULT_RULE_MODULES, ...value.ruleModules },
        limits: { ...DEFAULT_LIMITS, ...value.limits, parkedCalls },
      }
    },
    set: async (settings) => {
      await manager.query(
        `insert into settings (value) values ($1)
         on conflict (id) do update set value = excluded.value, updated_at = clock_timestamp()`,
        [JSON.stringify(settings)],
      )
    },
  }
}

function epochOver(manager: EntityManager): Pick<Store, 'bumpEpoch' | 'epoch'> {
  return {
    bumpEpoch: async () => {
      const rows: { value: string }[] = await manager.query(
        'with raised as (update epoch set value = value + 1 returning value) select value from raised',
      )
      return Number(rows[0]?.value)
    },
    epoch: async () => {
      const rows: { value: string }[] = await manager.query('select value from epoch')
      return Number(rows[0]?.value)
    },
  }
}

function listRepository(manager: EntityManager): ListRepository {
  return {
    seen: (serverId) => seenLists(manager, serverId),
    load: async (serverId, key, kind) => {
      const rows: { entries: string; at: Date }[] = await manager.query(
        'select entries, at from server_lists where server_id = $1 and key = $2 and kind = $3',
        [serverId, key, kind],
      )
      const [row] = rows
      return row === undefined ? null : { entries: JSON.parse(row.entries) as JsonObject[], at: row.at.getTime() }
    },
    save: async (serverId, key, kind, entries, at) => {
      await manager.query(
        `insert into server_lists (server_id, key, kind, entries, at) values ($1, $2, $3, $4, $5)
         on conflict (server_id, key, kind) do update set entries = excluded.entries, at = excluded.at`,
        [serverId, key, kind, JSON.stringify(entries), new Date(at)],
      )
    },
  }
}

/** Enough to know what a server has; what there is of it may be as much as there are people. */
async function seenLists(manager: EntityManager, serverId: string): Promise<SeenList[]> {
  const rows: { kind: ListKind; entries: string }[] = await manager.query(
    `select kind, entries from server_lists where server_id = $1 and length(entries) <= 1048576
     order by at desc limit 20`,
    [serverId],
  )
  return rows.map(({ kind, entries }) => ({ kind, entries: JSON.parse(entries) as JsonObject[] }))
}

function infoRepository(manager: EntityManager): InfoRepository {
  return {
    load: async (serverId, key) => {
      const rows: { info: string; at: Date }[] = await manager.query(
        'select info, at from server_infos where server_id = $1 and key = $2',
        [serverId, key],
      )
      const [row] = rows
      return row === undefined ? null : { info: JSON.parse(row.info) as JsonObject, at: row.at.getTime() }
    },
    save: async (serverId, key, info, at) => {
      await manager.query(
        `insert into server_infos (server_id, key, info, at) values ($1, $2, $3, $4)
         on conflict (server_id, key) do update set info = excluded.info, at = excluded.at`,
        [serverId, key, JSON.stringify(info), new Date(at)],
      )
    },
  }
}
