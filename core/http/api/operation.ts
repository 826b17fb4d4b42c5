import type { DeliveryAnswer, IdpDescription, UserRef } from '@gatehouse/sdk'
import type { z } from 'zod'
import type { FileOperations } from '../../configuration/apply.js'
import type { Mutations } from '../../configuration/mutations.js'
import type { Actor } from '../../configuration/work.js'
import type { AlertProgress, AlertRepository } from '../../domain/alerts.js'
import type { EngineKind } from '../../domain/engines.js'
import type { Idp, Rule } from '../../domain/nouns.js'
import type { RuleQuarantine } from '../../domain/rule-watch.js'
import type { Pinning, Provisioning } from '../../domain/provisioning.js'
import type { FeatureKey, Store } from '../../domain/store.js'
import type { ConsoleSessions } from '../../identity/console-sessions.js'
import type { Invitations } from '../../identity/invitations.js'
import type { SetupLinks } from '../../identity/setup-links.js'
import type { ReplayQueue } from '../../backtest/queue.js'
import type { Receipts } from '../../backtest/receipts.js'
import type { ExporterStatus } from '../../record/export-cursor.js'
import type { LogReader } from '../../record/query.js'
import type { AdminClients } from '../../oauth/server/admin-clients.js'
import type { AuthorizationServer } from '../../oauth/server/server.js'
import type { Detection } from '../connect/detect.js'
import type { Trial, TrialRequest } from '../../rules/trial.js'
import type { RotationCounts } from '../../vault/rotate.js'
import type { Browser } from '../pages/browser.js'
import type { TurnedAway } from '../pages/turned-away.js'

export interface PreviewRequest {
  readonly caller: UserRef
  readonly gatewayId: string
  readonly assignmentId: string
  /** `own`, the slug or id of a shared one, or null: as the server is called on the gateway. */
  readonly identity: string | null
  readonly provisioning: Provisioning
  readonly pinning: Pinning
}

/** All that the admin API works on. */
export interface ApiOptions {
  readonly store: Store
  readonly mutations: Mutations
  readonly files: FileOperations
  /** Whose admin token has this SHA-256; throws GH_AUTHENTICATE_INVALID or GH_AUTHENTICATE_DISABLED. */
  readonly resolveAdmin: (hash: string) => Promise<UserRef>
  /** Who is signed in to the console in the browser that asks. */
  readonly browser: Pick<Browser, 'session' | 'saysOurs'>
  readonly sessions: Pick<ConsoleSessions, 'endOf'>
  readonly invitations: Invitations
  readonly setupLinks: Pick<SetupLinks, 'mint' | 'endAll'>
  readonly turnedAway: TurnedAway
  readonly logs: LogReader
  /** What an identity provider says of itself, asked now. */
  readonly describeIdp: (idp: Idp) => Promise<IdpDescription>
  /** What a server at a URL wants of us. */
  readonly detect: (url: string) => Promise<Detection>
  readonly replays: Pick<ReplayQueue, 'start' | 'find' | 'cancel'> & {
    /** Which plugins the rules need, and which of the engines they name send texts to services outside. */
    readonly enginesOf: (rules: readonly Rule[]) => Promise<{ plugins: readonly string[]; external: readonly string[] }>
  }
  readonly receipts: Receipts
  readonly exporterStatus: (exporterId: string) => Promise<ExporterStatus | null>
  /** What a server has, asked now, and what a provisioning would make of it. */
  readonly preview: (request: PreviewRequest) => Promise<unknown>
  /** Somebody has decided on a feature: what was told of it is over. */
  readonly onDecided: (feature: FeatureKey, version: number) => Promise<void>
  readonly alerts: Omit<AlertRepository, 'raise' | 'resolve' | 'forget'>
  readonly alertProgress: (targetId: string) => Promise<AlertProgress>
  /** Sends a sample to a target. */
  readonly testAlertTarget: (targetId: string) => Promise<DeliveryAnswer>
  /** Seals every stored secret anew with the newest master key. */
  readonly rotateKeys: () => Promise<RotationCounts>
  readonly oauth: { readonly clients: AdminClients; readonly turnKeys: AuthorizationServer['turnKeys'] }
  /** Kinds of engines that are loaded. */
  readonly engineKinds: () => readonly EngineKind[]
  /** What a rule would make of a text. */
  readonly tryRule: (request: TrialRequest) => Promise<Trial>
  readonly ruleWatch: {
    /** Why a rule is not run any more; null: it is. */
    readonly quarantineOf: (rule: Rule) => RuleQuarantine | null
    /** Writes down what was counted here. */
    readonly flush: () => Promise<void>
  }
  /** Ids of the plugins that run, in their order. */
  readonly plugins: () => readonly string[]
  readonly version: string
  /** The public base URL, without a trailing slash. */
  readonly url: () => string
  /** Told of what was not foreseen. */
  readonly onBroken: (thrown: unknown) => void
}

/** One request that was let in. */
export interface ApiCall<Input = unknown, Query = unknown> {
  readonly caller: UserRef
  readonly actor: Actor
  /** What the path names, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly input: Input
}

/** What one operation needs: a key, any one of several, or nothing but a valid token. */
export type Need = string | readonly string[] | null

/**
 * One operation of the admin API. Routes, capability checks and `openapi.json` are made from the table of these and from
 * nothing else.
 */
export interface Operation {
  readonly id: string
  readonly method: 'get' | 'post' | 'patch' | 'delete'
  /** With `{name}` for what varies. */
  readonly path: string
  readonly summary: string
  readonly need: Need
  /** Needed besides `need`, each of them. */
  readonly also: readonly string[]
  /** Keys of the body that need another capability than the operation itself. */
  readonly fields: Readonly<Record<string, string>>
  readonly query: z.ZodType | null
  readonly input: z.ZodType | null
  /** Of the body; 1 MiB unless told. A longer one is read only of whoever holds what the operation needs. */
  readonly mostBytes: number
  /** What goes out: a key that is not in it is left out of the answer. Null: 204 and no body. */
  readonly output: z.ZodType | null
  readonly handle: (call: ApiCall) => Promise<unknown>
}

/** Bytes of a body. */
export const MOST_BYTES = 1024 * 1024

export function operation<I extends z.ZodType = z.ZodUndefined, Q extends z.ZodType = z.ZodUndefined>(
  definition: Omit<Operation, 'query' | 'input' | 'output' | 'handle' | 'fields' | 'also' | 'mostBytes'> & {
    readonly also?: Operation['also']
    readonly fields?: Operation['fields']
    readonly mostBytes?: number
    readonly query?: Q
    readonly input?: I
    readonly output?: z.ZodType
    readonly handle: (call: ApiCall<z.output<I>, z.output<Q>>) => Promise<unknown>
  },
): Operation {
  const { query = null, input = null, output = null, fields = {}, also = [], handle, ...rest } = definition
  const { mostBytes = MOST_BYTES } = definition
  // The router hands over only what these very schemas have parsed.
  return { ...rest, also, fields, query, input, output, mostBytes, handle: handle as Operation['handle'] }
}
