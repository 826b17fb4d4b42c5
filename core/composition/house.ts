import type { Alert } from '@gatehouse/sdk'
import { readFileSync } from 'node:fs'
import type { Logger } from 'pino'
import type { ReplayQueue } from '../backtest/queue.js'
import type { Receipts } from '../backtest/receipts.js'
import type { Completions } from '../bridge/completions.js'
import type { ParkedCalls } from '../bridge/parked-calls.js'
import type { Epochs } from '../cluster/epochs.js'
import type { Replicas } from '../cluster/replicas.js'
import type { SessionTold } from '../cluster/told.js'
import type { FileOperations } from '../configuration/apply.js'
import type { Mutations } from '../configuration/mutations.js'
import type { RuleInput } from '../configuration/schemas.js'
import type { Checks } from '../configuration/work.js'
import type { Snapshots } from '../configuration/snapshots.js'
import type { Alerting, AlertQueue, AlertRepository } from '../domain/alerts.js'
import type { OneTimeRows } from '../db/repositories/one-time.js'
import type { Store } from '../domain/store.js'
import type { Egress } from '../egress/egress.js'
import type { Host } from '../host/lifecycle.js'
import type { Lines } from '../http/session-lines.js'
import type { ToOwner } from '../http/to-owner.js'
import type { Counter } from '../http/oauth/mount.js'
import type { Browser } from '../http/pages/browser.js'
import type { ConsoleSessions } from '../identity/console-sessions.js'
import type { IdpAsks } from '../identity/sso/asks.js'
import type { SubjectTokens } from '../identity/subject-tokens.js'
import type { TrustedIssuers } from '../identity/trusted-issuers.js'
import type { Enrolments } from '../http/connect/enrolment.js'
import type { Identities } from '../identity/identities.js'
import type { Invitations } from '../identity/invitations.js'
import type { Passkeys } from '../identity/passkeys.js'
import type { Passwords } from '../identity/passwords.js'
import type { Postman } from '../identity/postman.js'
import type { SetupLinks } from '../identity/setup-links.js'
import type { SignInWays } from '../identity/sign-in-ways.js'
import type { OwnIdentities } from '../identity/own-identities.js'
import type { Audience } from '../listening/audience.js'
import type { SessionListeners } from '../listening/sessions.js'
import type { LegacySessions } from '../mcp/sessions.js'
import type { AdminClients } from '../oauth/server/admin-clients.js'
import type { AuthorizationServer } from '../oauth/server/server.js'
import type { OneTime } from '../identity/one-time.js'
import type { ObtainByAssertion } from '../oauth/client/assertions.js'
import type { GrantEnds, Grants } from '../oauth/client/grants.js'
import type { SignIn, StoredTrip } from '../oauth/client/sign-in.js'
import type { createProbe } from '../upstream/probe.js'
import type { Pipeline } from '../pipeline.js'
import type { AlertDeliveries } from '../record/alert-deliveries.js'
import type { Exporters } from '../record/exporters.js'
import type { RecordLog } from '../record/log.js'
import type { RefusalFold } from '../record/refusal-fold.js'
import type { Refused } from '../record/refusals.js'
import type { Tailer } from '../record/tailer.js'
import type { Resources } from './resources.js'
import type { Asides } from '../rooms/asides.js'
import type { Listen } from '../rooms/listen.js'
import type { Engines } from '../rules/engines.js'
import type { Rules } from '../rules/rules.js'
import type { Quarantines } from './quarantines.js'
import type { RuleStats } from './rule-stats.js'
import type { Approvals } from '../upstream/approvals.js'
import type { Suspicions } from '../upstream/suspicions.js'
import type { Catalog } from '../upstream/catalog.js'
import type { Credentials } from '../upstream/credentials.js'
import type { Errands } from '../upstream/errands.js'
import type { Offers } from '../upstream/offers.js'
import type { ServerInfos } from '../upstream/server-infos.js'
import type { Subscriptions } from '../upstream/subscriptions.js'
import type { Upstreams } from '../upstream/types.js'
import type { BodySealer } from '../vault/body-sealer.js'
import type { Trouble } from '../upstream/watch.js'

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly log: Logger
}

export const VERSION = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version

/** The ways in which configuration changes, and what may be asked about it. */
export interface Configuration {
  readonly mutations: Mutations
  readonly files: FileOperations
  readonly checks: Checks
}

/** A part of the house: a name that carries its type. */
export interface Part<T> {
  readonly name: symbol
  readonly type?: T
}
const part = <T>(name: string): Part<T> => ({ name: Symbol(name) })

export const PARTS = {
  assertions: part<ObtainByAssertion>('assertions'),
  alerting: part<Alerting>('alerting'),
  alertQueue: part<AlertQueue>('alertQueue'),
  alerts: part<AlertRepository>('alerts'),
  approvals: part<Approvals>('approvals'),
  suspicions: part<Suspicions>('suspicions'),
  asides: part<Asides>('asides'),
  audience: part<Audience>('audience'),
  bodySealer: part<BodySealer>('bodySealer'),
  browser: part<Browser>('browser'),
  catalog: part<Catalog>('catalog'),
  consoleSessions: part<ConsoleSessions>('consoleSessions'),
  configuration: part<Configuration>('configuration'),
  credentials: part<Credentials>('credentials'),
  defaultRules: part<readonly RuleInput[]>('defaultRules'),
  deliveries: part<AlertDeliveries>('deliveries'),
  egress: part<Egress>('egress'),
  engines: part<Engines>('engines'),
  enrolment: part<Enrolments>('enrolment'),
  epochs: part<Epochs>('epochs'),
  errands: part<Errands>('errands'),
  exporters: part<Exporters>('exporters'),
  grantEnds: part<GrantEnds>('grantEnds'),
  grants: part<Grants>('grants'),
  host: part<Host>('host'),
  identities: part<Identities>('identities'),
  idpAsks: part<IdpAsks>('idpAsks'),
  invitations: part<Invitations>('invitations'),
  infos: part<ServerInfos>('infos'),
  completions: part<Completions>('completions'),
  offers: part<Offers>('offers'),
  oauthClients: part<AdminClients>('oauthClients'),
  oauthCounter: part<Counter>('oauthCounter'),
  oauthServer: part<AuthorizationServer>('oauthServer'),
  oauthSweep: part<() => Promise<void>>('oauthSweep'),
  oneTime: part<OneTimeRows>('oneTime'),
  mail: part<{ readonly postman: Postman | null }>('mail'),
  passkeys: part<Passkeys>('passkeys'),
  passwords: part<Passwords>('passwords'),
  own: part<OwnIdentities>('own'),
  parked: part<ParkedCalls>('parked'),
  lines: part<Lines>('lines'),
  listen: part<Listen>('listen'),
  listeners: part<SessionListeners>('listeners'),
  pipeline: part<Pipeline>('pipeline'),
  quarantines: part<Quarantines>('quarantines'),
  probe: part<ReturnType<typeof createProbe>>('probe'),
  raise: part<(alert: Alert) => void>('raise'),
  recorder: part<RecordLog>('recorder'),
  refusals: part<{ door: RefusalFold; pages: RefusalFold; stop(): Promise<void> }>('refusals'),
  refused: part<Refused>('refused'),
  replicas: part<Replicas>('replicas'),
  replays: part<ReplayQueue>('replays'),
  receipts: part<Receipts>('receipts'),
  resources: part<Resources>('resources'),
  rules: part<Rules>('rules'),
  ruleStats: part<RuleStats>('ruleStats'),
  sessions: part<LegacySessions>('sessions'),
  setupLinks: part<SetupLinks>('setupLinks'),
  signInWays: part<SignInWays>('signInWays'),
  signIn: part<SignIn>('signIn'),
  snapshots: part<Snapshots>('snapshots'),
  store: part<Store>('store'),
  subjectTokens: part<SubjectTokens>('subjectTokens'),
  subscriptions: part<Subscriptions>('subscriptions'),
  tailer: part<Tailer>('tailer'),
  toOwner: part<ToOwner>('toOwner'),
  told: part<SessionTold>('told'),
  trustedIssuers: part<TrustedIssuers>('trustedIssuers'),
  trips: part<OneTime<StoredTrip>>('trips'),
  troubles: part<{ tell(trouble: Trouble): void; recheck(): Promise<void>; stop(): void }>('troubles'),
  upstreams: part<Upstreams>('upstreams'),
}

/** The parts by name. Each is made when it is first asked for, once. */
export interface House {
  get<T>(wanted: Part<T>): T
  put<T>(name: Part<T>, value: T): void
  make<T>(name: Part<T>, how: (house: House) => T): void
}
