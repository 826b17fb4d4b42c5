import { ArtifactEntity } from '../entities/artifact.js'
import { AlertTargetEntity } from '../entities/alert-target.js'
import { ConnectionEntity, HostEntity, TokenEntity } from '../entities/host.js'
import { RoleEntity, UserEntity } from '../entities/people.js'
import { EngineEntity } from '../entities/engine.js'
import { IdpEntity } from '../entities/idp.js'
import { ExporterEntity, IdentityEntity, ServerEntity } from '../entities/server.js'
import { isId } from './rows.js'
import type { Kind } from './rows.js'

export const SERVER: Kind<ServerEntity> = {
  entity: ServerEntity,
  noun: 'server',
  key: (slug) => ({ slug }),
  users: [
    {
      what: 'gateways',
      sql: `select distinct g.slug as name from assignments a join gateways g on g.id = a.gateway_id
        where a.server_id = $1 order by 1 limit 6`,
    },
    { what: 'identities', sql: 'select slug as name from identities where server_id = $1 order by 1 limit 6' },
  ],
}

export const IDENTITY: Kind<IdentityEntity> = {
  entity: IdentityEntity,
  noun: 'identity',
  key: (slug) => ({ slug }),
  users: [
    {
      what: 'gateways',
      sql: `select distinct g.slug as name from assignments a join gateways g on g.id = a.gateway_id
        where a.identity_id = $1 order by 1 limit 6`,
    },
  ],
}

export const ROLE: Kind<RoleEntity> = {
  entity: RoleEntity,
  noun: 'role',
  key: (slug) => ({ slug }),
  users: [
    {
      what: 'users',
      sql: `select u.email as name from users u join roles r on r.slug = u.role
        where r.id = $1 order by 1 limit 6`,
    },
    {
      what: 'identity providers',
      sql: `select i.slug as name from idps i join roles r on r.slug = i.role where r.id = $1 order by 1 limit 6`,
    },
  ],
}

export const USER: Kind<UserEntity> = {
  entity: UserEntity,
  noun: 'user',
  key: (email) => ({ email: email.toLowerCase() }),
}

export const HOST: Kind<HostEntity> = { entity: HostEntity, noun: 'host', key: (slug) => ({ slug }) }

/** Has no name of its own: its key is `<host id>/<gateway id>/<user id>`, the last part empty when there is no user. */
export const CONNECTION: Kind<ConnectionEntity> = {
  entity: ConnectionEntity,
  noun: 'connection',
  key: () => null,
}
export const CONNECTION_BY_LINK = `select id from connections
  where host_id = $1 and gateway_id = $2 and user_id is not distinct from $3`

export const TOKEN: Kind<TokenEntity> = {
  entity: TokenEntity,
  noun: 'token',
  key: (id) => (isId(id) ? { id } : null),
}

export const EXPORTER: Kind<ExporterEntity> = { entity: ExporterEntity, noun: 'exporter', key: (slug) => ({ slug }) }

export const IDP: Kind<IdpEntity> = { entity: IdpEntity, noun: 'identity provider', key: (slug) => ({ slug }) }

export const ENGINE: Kind<EngineEntity> = {
  entity: EngineEntity,
  noun: 'engine',
  key: (slug) => ({ slug }),
  users: [
    {
      what: 'rules',
      sql: `select g.slug || ' (' || r.name || ')' as name from rules r join gateways g on g.id = r.gateway_id
        join engines e on e.slug = r.engine where e.id = $1 order by 1 limit 6`,
    },
  ],
}

export const ALERT_TARGET: Kind<AlertTargetEntity> = {
  entity: AlertTargetEntity,
  noun: 'alert target',
  key: (slug) => ({ slug }),
}

export const ARTIFACT: Kind<ArtifactEntity> = { entity: ArtifactEntity, noun: 'artifact', key: (slug) => ({ slug }) }
