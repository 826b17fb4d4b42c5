import type { JsonObject } from '@gatehouse/sdk'
import type {
  Assignment,
  Connection,
  Exporter,
  Gateway,
  Host,
  Identity,
  Role,
  Rule,
  Server,
  Settings,
  Stored,
  Team,
  Token,
  User,
} from './nouns.js'

/** What a caller gives to make a noun: its own id when it has one, and who manages it; the times are the store's. */
export type Draft<N extends Stored> = Omit<N, keyof Stored> & {
  readonly id?: string
  readonly managedBy: Stored['managedBy']
}
export type Patch<N extends Stored> = Partial<Omit<N, 'id' | 'createdAt' | 'updatedAt'>>

/**
 * One noun in the database. A taken unique key throws GH_API_CONFLICT naming the field, a missing row GH_API_NOT_FOUND, a
 * row that others refer to GH_API_CONFLICT naming them. The database being away throws GH_DB_UNAVAILABLE.
 */
export interface Repository<N extends Stored> {
  /** Oldest first. */
  all(): Promise<N[]>
  find(id: string): Promise<N | null>
  /** By slug, e-mail (lower case) or name: the noun's natural key. */
  byKey(key: string): Promise<N | null>
  insert(draft: Draft<N>): Promise<N>
  update(id: string, patch: Patch<N>): Promise<N>
  remove(id: string): Promise<void>
}

/** Gateways come with their assignments and rules; those are written whole, in order, with ids kept where given. */
export interface GatewayRepository extends Repository<Gateway> {
  setAssignments(
    gatewayId: string,
    assignments: readonly (Omit<Assignment, 'id' | 'gatewayId' | 'position'> & { readonly id?: string })[],
  ): Promise<void>
  /** Gives each rule its position and raises the version of those that changed. */
  setRules(
    gatewayId: string,
    rules: readonly (Omit<Rule, keyof Stored | 'gatewayId' | 'position' | 'version'> & {
      readonly id?: string
      readonly managedBy: Stored['managedBy']
    })[],
  ): Promise<void>
}

export interface IdentityRepository extends Repository<Identity> {
  /** Those that may be lent to everyone; personal ones are as many as people times servers. */
  shared(): Promise<Identity[]>
  /** The personal ones of a person. */
  ofUser(userId: string): Promise<Identity[]>
  ofServer(serverId: string): Promise<Identity[]>
}

export interface TokenRepository extends Omit<Repository<Token>, 'insert'> {
  /** `hash` is the hex SHA-256 of the secret, the only trace of it. */
  insert(draft: Draft<Token> & { readonly hash: string }): Promise<Token>
  byHash(hash: string): Promise<Token | null>
  /** The token with all that decides over it, in one statement; null when there is no such token. */
  holderOf(hash: string): Promise<TokenHolder | null>
  /** Written in batches, at most once a minute and token. */
  touch(ids: readonly string[], at: Date): Promise<void>
}

/**
 * A token, the connection and host it belongs to (null for an admin token) and the person behind it (null when the
 * connection names none).
 */
export interface TokenHolder {
  readonly tokenId: string
  readonly kind: Token['kind']
  readonly tokenEnabled: boolean
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | null
  readonly revoked: boolean
  readonly connectionId: string | null
  readonly gatewayId: string | null
  readonly connectionEnabled: boolean | null
  readonly hostId: string | null
  readonly hostName: string | null
  readonly hostKind: Host['kind'] | null
  readonly hostEnabled: boolean | null
  readonly userId: string | null
  readonly email: string | null
  readonly name: string | null
  readonly role: string | null
  readonly userEnabled: boolean | null
  readonly capabilities: readonly string[] | null
  /** Ids of the enabled teams of the person. */
  readonly teams: readonly string[]
  /** The identities that the person brought themselves. */
  readonly own: readonly Identity[]
}

/** Secrets of any noun, sealed one by one; the context binds each to its owner and field. */
export interface SecretRepository {
  put(owner: { readonly kind: string; readonly id: string }, field: string, plain: string): Promise<void>
  get(owner: { readonly kind: string; readonly id: string }, field: string): Promise<string | null>
  /** All of one owner. */
  fields(owner: { readonly kind: string; readonly id: string }): Promise<Readonly<Record<string, string>>>
  remove(owner: { readonly kind: string; readonly id: string }, field?: string): Promise<void>
}

/** What an authorization server gave for an identity. `tokens` is JSON of whoever renews them, kept sealed. */
export interface Grant {
  readonly identityId: string
  readonly issuer: string
  readonly clientId: string
  readonly scope: string | null
  readonly tokens: string
  /** Rises with every renewal. */
  readonly version: number
  /** Milliseconds since the epoch. */
  readonly obtainedAt: number
  /** Null: nobody knows. */
  readonly expiresAt: number | null
  readonly lastError: string | null
  readonly wantedScope: string | null
  readonly stepUps: number
  /** Somebody has authorised since the server asked for more. */
  readonly isTried: boolean
}
export type GrantDraft = Pick<Grant, 'identityId' | 'issuer' | 'clientId' | 'scope' | 'tokens' | 'expiresAt'>

/** The grants of OAuth identities. Renewals are no change of configuration: they raise no epoch. */
export interface GrantRepository {
  find(identityId: string): Promise<Grant | null>
  /** After somebody authorised: in the place of whatever was there. */
  put(draft: GrantDraft): Promise<void>
  remove(identityId: string): Promise<void>
  /** True for one at a time of all replicas, for as long: who gets it renews the version that it names. */
  lease(identityId: string, version: number, ms: number): Promise<boolean>
  /** Puts new tokens in the place of a version; false when that is not there any more. */
  renew(version: number, draft: Omit<GrantDraft, 'issuer' | 'clientId'>): Promise<boolean>
  /** Gives the lease back, and says why. */
  release(identityId: string, version: number, error: string): Promise<void>
  /** The server needs more than was granted. */
  want(identityId: string, scope: string, stepUps: number): Promise<void>
  /** Of one server, all that one client obtained. */
  ofClient(serverId: string, issuer: string, clientId: string): Promise<string[]>
}

/** As which client we are registered at a server's authorization server. `registration` is JSON, kept sealed. */
export interface UpstreamClientRepository {
  find(serverId: string, issuer: string): Promise<string | null>
  put(serverId: string, issuer: string, registration: string): Promise<void>
  remove(serverId: string, issuer: string): Promise<void>
}

/** The names that a gateway has given for ever. First come, first served; a name is never taken from its owner. */
export interface NameRepository {
  of(gatewayId: string): Promise<readonly PublicName[]>
  /**
   * Gives names in the order of the candidates: each takes the first of its `wanted` that is free. Races between replicas
   * are settled by the database; what stands afterwards is answered.
   */
  claim(gatewayId: string, candidates: readonly NameCandidate[]): Promise<readonly PublicName[]>
}
/** A resource's name is its URI, a template's its URI template. */
export type NameKind = 'tool' | 'prompt' | 'resource' | 'template'
export interface NameCandidate {
  readonly kind: NameKind
  readonly assignmentId: string
  readonly upstreamName: string
  readonly wanted: readonly string[]
}
export interface PublicName {
  readonly kind: NameKind
  readonly assignmentId: string
  readonly upstreamName: string
  readonly name: string
}

export type ListKind = 'tools' | 'prompts' | 'resources' | 'templates'

/** The last good list of a server as one credential saw it, so that it survives a restart. At most 4 MiB of JSON each. */
export interface ListRepository {
  load(
    serverId: string,
    key: string,
    kind: ListKind,
  ): Promise<{ readonly entries: readonly JsonObject[]; readonly at: number } | null>
  /** `at` is in milliseconds since the epoch; what was saved before is replaced. */
  save(serverId: string, key: string, kind: ListKind, entries: readonly JsonObject[], at: number): Promise<void>
}

/** What a server last said of itself to a credential, so that it survives a restart. */
export interface InfoRepository {
  load(serverId: string, key: string): Promise<{ readonly info: JsonObject; readonly at: number } | null>
  /** `at` is in milliseconds since the epoch; what was saved before is replaced. */
  save(serverId: string, key: string, info: object, at: number): Promise<void>
}

/** Everything that configuration is made of. `transaction` gives a store whose writes land together or not at all. */
export interface Store {
  readonly servers: Repository<Server>
  readonly gateways: GatewayRepository
  readonly identities: IdentityRepository
  readonly teams: Repository<Team>
  readonly users: Repository<User>
  readonly roles: Repository<Role>
  readonly hosts: Repository<Host>
  readonly connections: Repository<Connection>
  readonly tokens: TokenRepository
  readonly exporters: Repository<Exporter>
  readonly secrets: SecretRepository
  readonly grants: GrantRepository
  readonly upstreamClients: UpstreamClientRepository
  readonly names: NameRepository
  readonly lists: ListRepository
  readonly infos: InfoRepository
  readonly settings: { get(): Promise<Settings>; set(settings: Settings): Promise<void> }
  transaction<T>(work: (store: Store) => Promise<T>): Promise<T>
  /** Raises the epoch: every replica rebuilds its snapshot and forgets what it cached of people and tokens. */
  bumpEpoch(): Promise<number>
  epoch(): Promise<number>
}
