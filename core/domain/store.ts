import type { JsonObject } from '@gatehouse/sdk'
import type {
  Assignment,
  Connection,
  Exporter,
  Gateway,
  Host,
  Identity,
  Idp,
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
}

/** A person here under the name that they have there. */
export interface IdpLink {
  readonly issuer: string
  readonly subject: string
  readonly userId: string
  readonly idpId: string
}

/** What identity providers know of people, and what follows from it. */
export interface IdpLinkRepository {
  find(issuer: string, subject: string): Promise<IdpLink | null>
  /** Ties them for good; GH_API_CONFLICT when that name is tied already. */
  put(link: IdpLink): Promise<void>
  /** Whether a person is tied to any name at this issuer. */
  isTied(userId: string, issuer: string): Promise<boolean>
  /** Unties a person from a provider; answers whether they were tied. */
  untie(userId: string, idpId: string): Promise<boolean>
  /** Notes that the link was used just now. */
  used(issuer: string, subject: string): Promise<void>
  /** Roles of all whom this provider can sign in: who is linked to it, and who has an address of these domains. */
  reach(idpId: string | null, domains: readonly string[]): Promise<readonly { role: string; linked: boolean }[]>
  /** Ends the console sessions that rest on a provider; answers how many. */
  endSessions(idpId: string): Promise<number>
  /** Slugs of the teams that a person is in, enabled or not. */
  teamsOf(userId: string): Promise<readonly string[]>
  /** By slugs; teams that do not exist are passed over. */
  join(userId: string, teams: readonly string[]): Promise<void>
  leave(userId: string, teams: readonly string[]): Promise<void>
}

/** Secrets of any noun, sealed one by one; the context binds each to its owner and field. */
export interface SecretRepository {
  put(owner: { readonly kind: string; readonly id: string }, field: string, plain: string): Promise<void>
  get(owner: { readonly kind: string; readonly id: string }, field: string): Promise<string | null>
  /** All of one owner. */
  fields(owner: { readonly kind: string; readonly id: string }): Promise<Readonly<Record<string, string>>>
  remove(owner: { readonly kind: string; readonly id: string }, field?: string): Promise<void>
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
  readonly identities: Repository<Identity>
  readonly teams: Repository<Team>
  readonly users: Repository<User>
  readonly roles: Repository<Role>
  readonly hosts: Repository<Host>
  readonly connections: Repository<Connection>
  readonly tokens: TokenRepository
  readonly exporters: Repository<Exporter>
  readonly idps: Repository<Idp>
  readonly idpLinks: IdpLinkRepository
  readonly secrets: SecretRepository
  readonly names: NameRepository
  readonly lists: ListRepository
  readonly infos: InfoRepository
  readonly settings: { get(): Promise<Settings>; set(settings: Settings): Promise<void> }
  transaction<T>(work: (store: Store) => Promise<T>): Promise<T>
  /** Raises the epoch: every replica rebuilds its snapshot and forgets what it cached of people and tokens. */
  bumpEpoch(): Promise<number>
  epoch(): Promise<number>
}
