import type { Alert, RuleAction } from '@gatehouse/sdk'
import type { Pinning, Poisoning, Provisioning } from './provisioning.js'

/** The nouns of the configuration, as rooms, API and YAML know them. Ids are UUIDs; slugs are `[a-z0-9][a-z0-9-]{0,62}`. */

export type ManagedBy = 'file' | 'api' | 'system'
export type Protocol = 'auto' | 'modern' | 'legacy' | 'sse'

/** Fields that every stored noun has. */
export interface Stored {
  readonly id: string
  readonly managedBy: ManagedBy
  readonly createdAt: string
  readonly updatedAt: string
}

export interface Server extends Stored {
  readonly slug: string
  readonly title: string
  /** Exactly one of `url` and `command` is set. */
  readonly url: string | null
  readonly command: readonly string[] | null
  readonly cwd: string | null
  /** Names of the child's environment variables; the values are sealed. */
  readonly env: readonly string[]
  readonly auth: 'none' | 'headers' | 'oauth'
  /** Names of the headers; the values are sealed. */
  readonly headers: readonly string[]
  /** How an administrator registered us at the server's authorization server; null: we find and register ourselves. */
  readonly oauth: ServerOauth | null
  readonly protocol: Protocol
  readonly enabled: boolean
}

/** The client secret, where there is one, is sealed. */
export interface ServerOauth {
  readonly clientId: string | null
  /** The only authorization server that the client is for; null: whichever the server names. */
  readonly issuer: string | null
  /** Asked for instead of what the server says that it needs. */
  readonly scope: string | null
  /** People who signed in through an identity provider are not asked: it vouches for them there (ID-JAG). */
  readonly assertion: boolean
}

/** What of a server is secret, opened from the vault only when the server is dialled. */
export interface ServerSecrets {
  readonly env: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
}

export type Scheme =
  { readonly kind: 'open' } | { readonly kind: 'per-user' } | { readonly kind: 'shared'; readonly identityId: string }

export interface Identity extends Stored {
  readonly slug: string
  readonly serverId: string
  readonly shared: boolean
  /** A person has one personal identity for a server at most. */
  readonly ownerId: string | null
  /** `headers`: sealed values that are sent as they are. `oauth`: a grant of the server's authorization server. */
  readonly kind: 'headers' | 'oauth'
  readonly headers: readonly string[]
  readonly enabled: boolean
  readonly status: 'ok' | 'needs_reauth'
}

export interface Assignment {
  readonly id: string
  readonly gatewayId: string
  readonly serverId: string
  /** The prefix that names get on a collision; null: the server's slug. Unique on the gateway. */
  readonly as: string | null
  readonly position: number
  readonly scheme: Scheme
  readonly provisioning: Provisioning
  readonly enabled: boolean
}

export interface Rule extends Stored {
  readonly gatewayId: string
  readonly name: string
  readonly position: number
  /** Rises by one with every change; stands in receipts. */
  readonly version: number
  /** A kind of engine, or the slug of an instance. */
  readonly engine: string
  readonly hook: 'request' | 'response' | 'both'
  /** Null for engines that answer a verdict on the whole message. */
  readonly action: RuleAction | null
  readonly onFailure: 'block' | 'allow'
  readonly alerts: boolean
  readonly enabled: boolean
  readonly shadow: boolean
  /** Globs on the assignment's prefix or the server's slug; empty: all. */
  readonly servers: readonly string[]
  /** Globs on the upstream's own feature name; empty: all tools. `prompt:` and `resource:` reach the other kinds. */
  readonly features: readonly string[]
  /** What the engine's schema adds (patterns, replacement, entities, …). */
  readonly config: Readonly<Record<string, unknown>>
}

export interface Gateway extends Stored {
  readonly slug: string
  readonly title: string
  readonly formerSlugs: readonly string[]
  readonly prefix: 'collision' | 'always' | 'never'
  readonly legacySse: boolean
  readonly capture: 'none' | 'redacted' | 'sealed'
  readonly pinning: Pinning
  readonly poisoning: Poisoning
  readonly enabled: boolean
  readonly teamIds: readonly string[]
  readonly assignments: readonly Assignment[]
  readonly rules: readonly Rule[]
}

export interface Team extends Stored {
  readonly slug: string
  readonly title: string
  readonly enabled: boolean
  readonly memberIds: readonly string[]
}

export interface User extends Stored {
  readonly email: string
  readonly name: string
  /** A role's slug: `super-admin`, `administrator`, `member` or a custom one. */
  readonly role: string
  readonly enabled: boolean
}

export interface Role extends Stored {
  readonly slug: string
  readonly title: string
  /** `*` for the super admin. */
  readonly capabilities: readonly string[]
}

export interface Host extends Stored {
  readonly slug: string
  readonly title: string
  readonly kind: 'token' | 'oauth'
  readonly ownerId: string | null
  readonly enabled: boolean
}

export interface Connection extends Stored {
  readonly hostId: string
  readonly gatewayId: string
  readonly userId: string | null
  readonly enabled: boolean
  /** Written at most once a minute. */
  readonly lastUsedAt: string | null
}

/** `access` is an `API_` token of one connection, `admin` a `gpat_` of one user. Only the SHA-256 of a secret is stored. */
export interface Token extends Stored {
  readonly kind: 'access' | 'admin'
  readonly label: string
  readonly lastFour: string
  readonly connectionId: string | null
  readonly userId: string | null
  readonly expiresAt: string | null
  readonly revokedAt: string | null
  readonly lastUsedAt: string | null
  readonly enabled: boolean
}

export interface Exporter extends Stored {
  readonly slug: string
  readonly plugin: string
  readonly config: Readonly<Record<string, unknown>>
  /** Top-level keys of the configuration that are sealed. */
  readonly secrets: readonly string[]
  readonly enabled: boolean
}

/** Somebody who is told of alerts, by a plugin. */
export interface AlertTarget extends Stored {
  readonly slug: string
  readonly plugin: string
  /** The plugin's own keys, without its secrets. */
  readonly config: Readonly<Record<string, unknown>>
  /** Top-level keys of the configuration that are sealed. */
  readonly secrets: readonly string[]
  /** Alerts that are less grave are not told. */
  readonly minSeverity: Alert['severity']
  /** Empty: all. */
  readonly types: readonly Alert['type'][]
  /** Empty: all, and what is of no gateway. */
  readonly gatewayIds: readonly string[]
  readonly enabled: boolean
}

/** A named instance of a kind of engine, for the rules of every gateway. */
export interface Engine extends Stored {
  readonly slug: string
  readonly kind: string
  /** The kind's own keys, without its secrets. */
  readonly config: Readonly<Record<string, unknown>>
  /** What of the configuration is sealed: `apiKey`, `headers.Authorization`. */
  readonly secrets: readonly string[]
  /** Rises by one with every change: rules are prepared anew. */
  readonly version: number
  readonly lastTest: EngineTest | null
}

/** How the last try of an engine ended. */
export interface EngineTest {
  readonly at: string
  readonly ok: boolean
  /** A word or two: the verdict, or what was wrong. */
  readonly outcome: string
  readonly ms: number
}

/** Where people of a company sign in: one identity provider, and what follows from a sign-in there. */
export interface Idp extends Stored {
  readonly slug: string
  /** What its button says. */
  readonly title: string
  readonly plugin: string
  /** The plugin's own keys, without its secrets. */
  readonly config: Readonly<Record<string, unknown>>
  /** Top-level keys of the configuration that are sealed. */
  readonly secrets: readonly string[]
  /** What may stand behind the `@` of people it vouches for; lower case, of one provider alone. */
  readonly domains: readonly string[]
  /** Role of who comes for the first time; null: the workspace's default. */
  readonly role: string | null
  /** Groups there to teams (slugs) here. */
  readonly groups: Readonly<Record<string, string>>
  /** Whether the sign-in page offers it to everybody. */
  readonly button: boolean
  /** People of its domains sign in there and nowhere else. */
  readonly required: boolean
  /** E-mail addresses that `required` does not hold for. */
  readonly breakGlass: readonly string[]
  /** Addresses of its own domains count as verified even when it does not say so. */
  readonly trustDomainVerifiedEmail: boolean
  /** Its assertions (ID-JAG) are good for tokens of AI clients. */
  readonly trustAssertions: boolean
  readonly enabled: boolean
}

/** `settings` of the YAML file and of `/api/v1/settings`. Durations are milliseconds, sizes bytes. */
export interface Settings {
  readonly audit: 'fast' | 'strict'
  /** `sealed`: what messages said before the rules; never longer than the record itself. */
  readonly retentionDays: { readonly logs: number; readonly alerts: number; readonly sealed: number }
  readonly defaultRole: string
  /** How often and how long after its first use a refresh token may be used again; 0 seconds: not at all. */
  readonly refreshReuse: { readonly seconds: number; readonly uses: number }
  /** Private schemes that AI clients may send people back to, without the colon. */
  readonly redirectSchemes: readonly string[]
  /** Whether AI clients may be known by a document at a URL; without, they register (for a gateway that cannot fetch it). */
  readonly clientDocuments: boolean
  readonly ruleModules: RuleModules
  readonly limits: Limits
}

/** `settings.ruleModules`: whom the gateway believes, and what it does not run. */
export interface RuleModules {
  readonly requireSignature: boolean
  readonly trustedKeys: Readonly<Record<string, { readonly publicKey: string }>>
  /** SHA-256 of modules that run no more, whoever signed them. */
  readonly revoked: readonly string[]
  /** So many of the last uploads stay when the others are pruned. */
  readonly keepVersions: number
}

export interface Limits {
  readonly requestBody: number
  readonly upstreamEvent: number
  readonly upstreamBody: number
  readonly call: number
  readonly callTotal: number
  readonly list: number
  readonly staleList: number
  readonly engine: number
  readonly sessionsPerUser: number
  readonly sessionIdle: number
  readonly listensPerUser: number
  readonly stdioProcesses: number
  readonly bodyInLog: number
  /** How many clients may register in a minute from one address; three times as many at once. */
  readonly registrations: number
  /** How many messages one backtest may read, and how long it may take. */
  readonly replayMessages: number
  readonly replayTime: number
  readonly parkedCalls: ParkedCallLimits
}

/** Most calls that sleep until their client answers: at one replica, of one person, and of one at one server. */
export interface ParkedCallLimits {
  readonly perReplica: number
  readonly perUser: number
  readonly perServer: number
}

export const DEFAULT_LIMITS: Limits = Object.freeze({
  requestBody: 16 * 1024 * 1024,
  upstreamEvent: 16 * 1024 * 1024,
  upstreamBody: 32 * 1024 * 1024,
  call: 300_000,
  callTotal: 900_000,
  list: 5_000,
  staleList: 600_000,
  engine: 30_000,
  sessionsPerUser: 200,
  sessionIdle: 86_400_000,
  listensPerUser: 20,
  stdioProcesses: 64,
  bodyInLog: 64 * 1024,
  registrations: 20,
  replayMessages: 100_000,
  replayTime: 600_000,
  parkedCalls: Object.freeze({ perReplica: 1_000, perUser: 20, perServer: 5 }),
})

export const DEFAULT_RULE_MODULES: RuleModules = Object.freeze({
  requireSignature: false,
  trustedKeys: Object.freeze({}),
  revoked: Object.freeze([]),
  keepVersions: 20,
})

export const DEFAULT_SETTINGS: Settings = Object.freeze({
  audit: 'fast',
  retentionDays: Object.freeze({ logs: 90, alerts: 90, sealed: 7 }),
  defaultRole: 'member',
  refreshReuse: Object.freeze({ seconds: 60, uses: 5 }),
  redirectSchemes: Object.freeze(['cursor', 'vscode', 'vscode-insiders', 'jetbrains']),
  clientDocuments: true,
  ruleModules: DEFAULT_RULE_MODULES,
  limits: DEFAULT_LIMITS,
})
