import type { JsonObject } from '@gatehouse/sdk'
import type { ArtifactContent, ArtifactVersion, Signature, StoredArtifact } from './artifacts.js'
import type { FieldHashes } from './feature-hash.js'
import type { QuarantineRepository, RuleStatRepository } from './rule-watch.js'
import type { Approval } from './feature-judge.js'
import type {
  AlertTarget,
  Assignment,
  Connection,
  Engine,
  EngineTest,
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

/** So many rows, the oldest first, after the one of this id. An id that is not there throws GH_API_INVALID naming the cursor. */
export interface Slice {
  readonly limit: number
  readonly after: string | null
}

/** A noun of which there may be more than anyone reads at once. */
export interface Paged<N extends Stored> {
  /** Those whose fields are these. */
  page(slice: Slice, where?: Partial<N>): Promise<readonly N[]>
}

/** A host as a list shows it: with its connections counted. */
export interface HostSeen extends Host {
  readonly connections: number
  readonly lastUsedAt: string | null
}

export interface HostRepository extends Repository<Host> {
  pageSeen(slice: Slice, where?: Partial<Host>): Promise<readonly HostSeen[]>
}

export type ConnectionKey = Pick<Connection, 'hostId' | 'gatewayId' | 'userId'>

/** Of a connection's ids, any that are given. */
export type ConnectionFilter = Partial<Pick<Connection, 'id' | 'hostId' | 'gatewayId' | 'userId'>>

/** A connection with the names of what it ties together. */
export interface ConnectionSeen extends Connection {
  readonly host: string
  readonly gateway: string
  readonly user: string | null
}

export interface ConnectionRepository extends Omit<Repository<Connection>, 'insert'> {
  insert(draft: Omit<Draft<Connection>, 'lastUsedAt'>): Promise<Connection>
  pageSeen(slice: Slice, where: ConnectionFilter): Promise<readonly ConnectionSeen[]>
  /** With their tokens. At least one id must be given. */
  removeOf(where: ConnectionFilter): Promise<void>
  /** Written in batches, at most once a minute and connection. */
  touch(ids: readonly string[], at: Date): Promise<void>
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

/** Whose tokens someone may see, and which of those they ask for. */
export interface TokenFilter extends Partial<Pick<Token, 'kind' | 'connectionId' | 'userId'>> {
  readonly access: boolean
  /** Admin tokens of this person alone; null: of everyone. */
  readonly adminOf: string | null
}

/** A token with the e-mail address of its person. */
export interface TokenSeen extends Token {
  readonly user: string | null
}

/** With a person go their connections, tokens, memberships and personal identities; what they made for all stays. */
export interface UserRepository extends Repository<User>, Paged<User> {
  /** Whoever has one of these ids, or e-mail addresses in lower case; in no order. */
  many(idsOrEmails: readonly string[]): Promise<User[]>
  /** Who holds a role, oldest first. */
  inRole(slug: string): Promise<User[]>
}

export interface IdentityRepository extends Repository<Identity>, Paged<Identity> {
  /** Those that may be lent to everyone; personal ones are as many as people times servers. */
  shared(): Promise<Identity[]>
  /** The personal ones of a person. */
  ofUser(userId: string): Promise<Identity[]>
  ofServer(serverId: string): Promise<Identity[]>
}

export interface TokenRepository extends Omit<Repository<Token>, 'insert'> {
  pageVisible(slice: Slice, filter: TokenFilter): Promise<readonly TokenSeen[]>
  /** `hash` is the hex SHA-256 of the secret, the only trace of it. */
  insert(draft: Draft<Token> & { readonly hash: string }): Promise<Token>
  byHash(hash: string): Promise<Token | null>
  /** The token with all that decides over it, in one statement; null when there is no such token. */
  holderOf(hash: string): Promise<TokenHolder | null>
  /** Removes all whose fields are these; at least one must be given. */
  removeOf(where: Partial<Token>): Promise<void>
  /** Written in batches, at most once a minute and token. */
  touch(ids: readonly string[], at: Date): Promise<void>
}

/**
 * A token, the connection and host it belongs to (null for an admin token) and the person behind it (null when the
 * connection names none).
 */
export interface TokenHolder {
  /** A UUID; of an access token of the authorization server the hash that it was found by. */
  readonly tokenId: string
  readonly kind: Token['kind']
  readonly tokenEnabled: boolean
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | null
  readonly revoked: boolean
  /** Granted at the URL without a gateway, where its person chose one. */
  readonly picker: boolean
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
  /** Without an issuer: all of the server. */
  remove(serverId: string, issuer?: string): Promise<void>
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
  /** The newest lists of a server, whoever saw them: 20 at most, and none that is larger than 1 MiB. */
  seen(serverId: string): Promise<readonly SeenList[]>
}
export interface SeenList {
  readonly kind: ListKind
  readonly entries: readonly JsonObject[]
}

/** One feature of a server on a gateway, by the server's own name of it. */
export interface FeatureKey {
  readonly gatewayId: string
  readonly assignmentId: string
  readonly kind: NameKind
  readonly name: string
}

/** Something seen of a pinned feature that is worth keeping: a definition, and what it means. */
export interface Sighting {
  /**
   * `trusted`: the first that was seen, trusted from now on. `appeared`: new, and waits for somebody. `renamed`: new, and
   * like one that is gone (`note`). `changed`: not what is trusted. `suspected`: it looks poisoned (`note`).
   */
  readonly event: 'trusted' | 'appeared' | 'renamed' | 'changed' | 'suspected'
  readonly name: string
  /** Of the approval that it was compared with. */
  readonly version: number
  /** `pinHash` over everything. */
  readonly sha256: string
  readonly hashes: FieldHashes
  readonly definition: JsonObject
  readonly note: string | null
  /** Of what is `trusted`: nobody meant it by its name, so that it only `appeared` where its kind was recorded before. */
  readonly waits?: boolean
  /** Of what is suspected: by which check, and where. */
  readonly suspicions?: readonly { readonly check: string; readonly field: string }[]
}

export interface ApprovalSeen extends Approval, Pick<FeatureKey, 'assignmentId' | 'kind' | 'name'> {}

/** What a person decides: to trust a definition that was seen, or never to. */
export interface Decision {
  readonly sha256: string
  readonly verdict: 'approved' | 'rejected'
  /** Who decides, as the history names them. */
  readonly by: string | null
  readonly note: string | null
}

/** A feature with what is trusted of it; a definition that was too long to keep is null. */
export interface FeatureRecord extends ApprovalSeen {
  readonly sha256: string | null
  readonly definition: JsonObject | null
  readonly decidedBy: string | null
  readonly decidedAt: string
  /** The last thing that was seen of it and not decided on since; null: it was last seen as it is trusted. */
  readonly waiting: FeatureEvent | null
}

export interface FeatureEvent extends Omit<Sighting, 'event' | 'definition'> {
  readonly id: string
  readonly event: Sighting['event'] | Decision['verdict']
  readonly definition: JsonObject | null
  readonly by: string | null
  readonly at: string
}

/** Which definitions of features are trusted. They outlive the assignment, like names. */
export interface FeatureRepository {
  /** All of a gateway, without definitions. `version` rises with every decision of a person. */
  of(gatewayId: string): Promise<{
    readonly version: number
    readonly approvals: readonly ApprovalSeen[]
    /** Assignments and kinds whose features were recorded once: what comes later is new. */
    readonly baselines: readonly Pick<FeatureKey, 'assignmentId' | 'kind'>[]
  }>
  /** Of the gateways on which anything was decided. */
  versions(): Promise<ReadonlyMap<string, number>>
  /** Keeps what is new of it, once over all replicas, and answers that. */
  record(where: Omit<FeatureKey, 'name'>, sightings: readonly Sighting[]): Promise<readonly Sighting[]>
  /** Keeps what is suspected, and lets it through no more when `refuse` says so; answers what is new. */
  suspect(
    where: Omit<FeatureKey, 'name'>,
    sightings: readonly Sighting[],
    refuse: boolean,
  ): Promise<readonly Sighting[]>
  find(key: FeatureKey): Promise<FeatureRecord | null>
  /** Of one assignment, by kind and name. */
  ofAssignment(gatewayId: string, assignmentId: string): Promise<readonly FeatureRecord[]>
  /** Newest first. */
  history(key: FeatureKey): Promise<readonly FeatureEvent[]>
  /** GH_API_NOT_FOUND unless a definition of this hash was seen of the feature. */
  decide(key: FeatureKey, decision: Decision): Promise<FeatureRecord>
}

/** What a server last said of itself to a credential, so that it survives a restart. */
export interface InfoRepository {
  load(serverId: string, key: string): Promise<{ readonly info: JsonObject; readonly at: number } | null>
  /** `at` is in milliseconds since the epoch; what was saved before is replaced. */
  save(serverId: string, key: string, info: object, at: number): Promise<void>
}

export interface EngineRepository extends Repository<Engine> {
  /** No change of configuration: neither version nor epoch rise. One that is gone meanwhile is passed over. */
  noteTest(id: string, lastTest: EngineTest): Promise<void>
}

export interface VersionDraft extends Omit<ArtifactVersion, 'at'>, ArtifactContent {
  readonly bytes: Uint8Array
}

/** Artifacts are removed with their versions. */
export interface ArtifactRepository extends Repository<StoredArtifact> {
  /** Of one artifact, or of all; each artifact's oldest first. */
  versions(artifactId?: string): Promise<readonly ArtifactVersion[]>
  /** GH_API_NOT_FOUND for a version that is not there. */
  content(artifactId: string, version: number): Promise<ArtifactContent>
  bytes(artifactId: string, version: number): Promise<Uint8Array>
  /** The upload of exactly these bytes and this manifest. */
  same(artifactId: string, digests: Pick<ArtifactVersion, 'sha256' | 'manifestSha256'>): Promise<ArtifactVersion | null>
  addVersion(draft: VersionDraft): Promise<ArtifactVersion>
  sign(artifactId: string, version: number, signature: Signature): Promise<void>
  removeVersion(artifactId: string, version: number): Promise<void>
}

/** Everything that configuration is made of. `transaction` gives a store whose writes land together or not at all. */
export interface Store {
  readonly servers: Repository<Server>
  readonly gateways: GatewayRepository
  readonly identities: IdentityRepository
  readonly teams: Repository<Team>
  readonly users: UserRepository
  readonly roles: Repository<Role>
  readonly hosts: HostRepository
  readonly connections: ConnectionRepository
  readonly tokens: TokenRepository
  readonly exporters: Repository<Exporter>
  readonly alertTargets: Repository<AlertTarget>
  readonly engines: EngineRepository
  readonly artifacts: ArtifactRepository
  readonly idps: Repository<Idp>
  readonly idpLinks: IdpLinkRepository
  readonly secrets: SecretRepository
  readonly grants: GrantRepository
  readonly upstreamClients: UpstreamClientRepository
  readonly names: NameRepository
  readonly lists: ListRepository
  readonly infos: InfoRepository
  readonly features: FeatureRepository
  readonly quarantines: QuarantineRepository
  readonly ruleStats: RuleStatRepository
  readonly settings: { get(): Promise<Settings>; set(settings: Settings): Promise<void> }
  transaction<T>(work: (store: Store) => Promise<T>): Promise<T>
  /** Raises the epoch: every replica rebuilds its snapshot and forgets what it cached of people and tokens. */
  bumpEpoch(): Promise<number>
  epoch(): Promise<number>
}
