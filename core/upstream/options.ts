import type { JsonObject } from '@gatehouse/sdk'
import type { Dispatcher } from 'undici'
import type { Limits } from '../domain/nouns.js'
import type { ClientInfo } from './envelope.js'
import type { QuestionAnswer } from '../mcp/questions.js'
import type { Conversation, Party, ServerInfo, Target, UpstreamReply, UpstreamRequest } from './types.js'
import type { VerdictStore } from './verdicts.js'
import type { Trouble } from './watch.js'

export interface UpstreamsOptions {
  /** The guarded way out. */
  readonly egress: { pool(origin: string): Dispatcher }
  /** Asked at each use, so that a changed setting counts at once. */
  readonly limits: () => UpstreamLimits
  /** What we call ourselves towards servers. */
  readonly clientInfo: ClientInfo
  /** The environment that children take their few variables from; null: servers with a command are refused. */
  readonly childEnv: Readonly<Record<string, string | undefined>> | null
  readonly log?: UpstreamLog
  /** Keeps the eras of servers over a restart. */
  readonly verdicts?: VerdictStore
  /** Questions of a server outside of any call, on the lane of a legacy client session. Unless told they are refused. */
  readonly onSessionQuestion?: (
    party: Party,
    target: Target,
    ...asked: Parameters<Conversation['onQuestion']>
  ) => Promise<QuestionAnswer>
  /**
   * Notes that belong to no request and are no list change (resources updated, log messages on the side stream);
   * `party` is the client session whose lane they came on.
   */
  readonly onServerNote?: (target: Target, note: JsonObject, party: Party | null) => void
  /** Told how servers and credentials fare. Must not throw. */
  readonly onTrouble?: (trouble: Trouble) => void
  readonly timing?: Partial<Timing>
}

export type UpstreamLimits = Pick<Limits, 'upstreamEvent' | 'upstreamBody' | 'stdioProcesses'>

export interface UpstreamLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** Milliseconds. */
export interface Timing {
  /** One step of dialling over HTTP. */
  readonly dial: number
  /** How long a legacy session waits for the head of its side stream before it is used. */
  readonly sideStream: number
  /** First pause before a held stream is opened again; doubled each time up to `reopenMost`. */
  readonly reopen: number
  readonly reopenMost: number
  /** How long a server has to say what it will tell of. */
  readonly acknowledge: number
  /** What nobody wants to hear of any more is told for so much longer: opening a stream costs more than a note. */
  readonly shrink: number
  /** A stream that all answers come on is pinged when it was silent for this long, and given up after twice as long. */
  readonly ping: number
  /** A modern side stream without a byte for this long is opened anew. */
  readonly listenSilence: number
  /** What is unused for this long is closed. */
  readonly idle: number
  /** The same for a session that is paired with a client's: what the server keeps in it would be lost to the client. */
  readonly pairedIdle: number
  /** Least time between two probes for a contradicted era. */
  readonly reprobe: number
  /** First output of a child that is started cold. */
  readonly coldStart: number
  /** A throw-away child's answer to the probe, from its first output on. */
  readonly probe: number
  /** First pause before a crashed child is started again; doubled each time up to `restartMost`. */
  readonly restart: number
  readonly restartMost: number
  /** From the end of stdin to SIGTERM, and from there to SIGKILL. */
  readonly terminate: number
  readonly kill: number
}

export const TIMING: Timing = Object.freeze({
  dial: 10_000,
  sideStream: 2_000,
  reopen: 1_000,
  reopenMost: 30_000,
  acknowledge: 2_000,
  shrink: 30_000,
  ping: 45_000,
  listenSilence: 120_000,
  idle: 300_000,
  pairedIdle: 3_600_000,
  reprobe: 30_000,
  coldStart: 60_000,
  probe: 5_000,
  restart: 1_000,
  restartMost: 30_000,
  terminate: 2_000,
  kill: 3_000,
})

/** A connection to one server as one identity, whatever its transport. */
export interface Peer {
  readonly info: ServerInfo
  /** Named where the era does not tell it: the two endpoints of 2024-11-05. */
  readonly transport?: 'sse'
  /** Whether the server tells our sessions apart: it may ask, and keep something between calls. */
  readonly stateful: boolean
  /** Whether a request is under way. */
  readonly busy: boolean
  /** Throws a `GH_UPSTREAM_*` fault or `PeerLost`. */
  request(request: UpstreamRequest): Promise<UpstreamReply>
  /**
   * Of the modern era: has the server tell of these resources and of no others, besides its lists; answers of which it will.
   * Settles when the server tells, lists included.
   */
  listen?(uris: ReadonlySet<string>): Promise<ReadonlySet<string>>
  /** Sends a notification; what comes of it is nobody's concern. */
  notify(note: JsonObject): void
  stop(): Promise<void>
}

/** What a peer tells of itself. */
export interface PeerEvents {
  listChanged(kind: ListKind): void
  /** A side stream was lost, and is back or not to be had any more: what it would have told is unknown. */
  reopened(): void
  note(note: JsonObject): void
  /** A question that belongs to no one call under way; null: nobody can be asked outside of calls. */
  asked: Conversation['onQuestion'] | null
  /** The server answers, but not as its era should: its era is probed anew when convenient. */
  doubted(): void
  /** The peer ended by itself; it must not be used again. */
  gone(): void
}

export type ListKind = 'tools' | 'prompts' | 'resources'

/** All that a peer is made of, but its transport. */
export interface PeerContext {
  /** Read again whenever the target is needed: its newest form holds the newest secrets. */
  readonly of: { readonly target: Target }
  readonly slug: string
  readonly clientInfo: ClientInfo
  readonly limits: () => UpstreamLimits
  readonly timing: Timing
  readonly log: UpstreamLog
  readonly events: PeerEvents
}

const LIST_NOTES: Readonly<Record<string, ListKind>> = {
  'notifications/tools/list_changed': 'tools',
  'notifications/prompts/list_changed': 'prompts',
  'notifications/resources/list_changed': 'resources',
}

/** Which list a note says has changed; undefined for other notes. */
export function listChangedKind(method: string): ListKind | undefined {
  return LIST_NOTES[method]
}

/** The lists whose changes a server says that it will tell. */
export function watchedLists(capabilities: JsonObject): ListKind[] {
  return (['tools', 'prompts', 'resources'] as const).filter((kind) => {
    const capability = capabilities[kind]
    return (
      typeof capability === 'object' && capability !== null && 'listChanged' in capability && !!capability.listChanged
    )
  })
}
