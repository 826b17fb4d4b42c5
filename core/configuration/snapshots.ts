import type { Artifact, PluginLog } from '@gatehouse/sdk'
import { type Epochs, FRESH_MS } from '../cluster/epochs.js'
import type { EngineKind, OpenedEngine } from '../domain/engines.js'
import type { Engine, Rule } from '../domain/nouns.js'
import type { CompiledRule, Snapshot } from '../domain/snapshot.js'
import type { Store } from '../domain/store.js'
import { asGatehouseError, GatehouseError } from '../errors.js'
import { type ArtifactContents, createArtifactContents, type RuleUse, usesOf } from './snapshot-artifacts.js'
import { bySlug, type Loaded } from './snapshot-loaded.js'
import { type Compiled, plan } from './snapshot-plan.js'

/** A configuration that changes under each of so many readings is read on the next change. */
const READINGS = 5
const RETRY_MS = 1_000

export interface Snapshots {
  /** The configuration that stands. Throws before the first `rebuild`. */
  current(): Snapshot
  /** Reads all that was committed before this call, and swaps. On failure the old one stands and this throws. */
  rebuild(): Promise<Snapshot>
  /**
   * Null while `current` is known to be up to date. Else asks, and settles when it is: what was switched off elsewhere is
   * not let pass because it has not been heard of or read yet. Throws GH_DB_UNAVAILABLE when a change was heard of and
   * cannot be read; while the database is away, nobody hears of any.
   */
  catchUp(): Promise<void> | null
  /** Told after each swap; answers how to stop listening. */
  onSwap(listener: (next: Snapshot, previous: Snapshot | null) => void): () => void
  /** Retires all rules: to be called when no call is under way. */
  stop(): Promise<void>
}

export interface SnapshotsOptions {
  readonly store: Pick<
    Store,
    'gateways' | 'servers' | 'identities' | 'idps' | 'engines' | 'artifacts' | 'settings' | 'quarantines' | 'epoch'
  >
  readonly epochs: Pick<Epochs, 'onChange' | 'current' | 'freshWithin' | 'check'>
  readonly log: Pick<PluginLog, 'warn' | 'error'>
  /** The secrets of an engine, opened once for all rules that are prepared with it. */
  readonly openEngine: (engine: Engine) => Promise<OpenedEngine>
  /** Kinds of engines that are loaded. */
  readonly engineKinds: () => readonly EngineKind[]
  /**
   * Called once for each version of a rule, of the engine it names and of the artifact it names, and again for one that came back
   * broken.
   */
  readonly prepareRule: (rule: Rule, instance: OpenedEngine | null, artifact: Artifact | null) => Promise<CompiledRule>
  readonly retireRule: (rule: CompiledRule) => void
  /** Reads what else a change of the epoch may stand for; when that fails, the old configuration stands. */
  readonly follow?: () => Promise<void>
  /** Calls in flight keep the rules they met: a rule is retired this long after it left. Told anew at each swap. */
  readonly retireAfterMs?: (snapshot: Snapshot) => number
}

type Held = ReadonlyMap<string, CompiledRule>

/** Builds the configuration whenever the epoch moves; what a call holds is never changed under it. */
export function createSnapshots(options: SnapshotsOptions): Snapshots {
  const { store, epochs, log, retireRule } = options
  const retireAfterMs = options.retireAfterMs ?? ((snapshot) => snapshot.settings.limits.callTotal)
  const listeners = new Set<Parameters<Snapshots['onSwap']>[0]>()
  const leaving = new Map<NodeJS.Timeout, () => void>()
  const contents = createArtifactContents(store)
  let standing: Snapshot | null = null
  let held: Held = new Map()
  let running: Promise<Snapshot> | undefined
  let next: Promise<Snapshot> | undefined
  let retry: NodeJS.Timeout | undefined
  let isStopped = false

  const build = async (): Promise<Snapshot> => {
    const loaded = await load(store)
    await options.follow?.()
    const compiled = await prepareAll(loaded, held, { ...options, contents })
    const { prepared } = compiled
    const snapshot = plan(loaded, compiled, (facts, message) => log.warn(facts, message))
    const [previous, before] = [standing, held]
    standing = snapshot
    held = prepared
    for (const [key, rule] of before) if (prepared.get(key) !== rule) leave(rule, retireAfterMs(snapshot))
    for (const listener of listeners) listener(snapshot, previous)
    return snapshot
  }

  const leave = (rule: CompiledRule, ms: number): void => {
    const retire = (): void => {
      leaving.delete(timer)
      retireRule(rule)
    }
    const timer = setTimeout(retire, ms)
    timer.unref()
    leaving.set(timer, retire)
  }

  /** A build that is under way may have read before the caller's change: such a caller waits for the next one. */
  const rebuild = (): Promise<Snapshot> => {
    if (running === undefined) return (running = build().finally(() => (running = undefined)))
    return (next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined
        return rebuild()
      }))
  }

  const isBehind = (): boolean => standing !== null && standing.epoch < epochs.current()
  const catchUp = async (): Promise<void> => {
    if (!epochs.freshWithin(FRESH_MS)) await epochs.check().catch(() => undefined)
    if (!isBehind()) return
    try {
      await running
      if (isBehind()) await rebuild()
    } catch (thrown) {
      // What is wrong with the configuration itself was told: the old one stands.
      if (asGatehouseError(thrown).code === 'GH_DB_UNAVAILABLE') throw thrown
    }
  }

  const follow = (): void => {
    clearTimeout(retry)
    rebuild().catch((thrown: unknown) => {
      log.error({ error: describe(thrown) }, 'the new configuration could not be read; the old one stands')
      if (isStopped) return
      retry = setTimeout(follow, RETRY_MS)
      retry.unref()
    })
  }
  const unfollow = epochs.onChange((epoch) => {
    if (epoch !== standing?.epoch) follow()
  })

  return {
    current: () => {
      if (standing === null) throw new GatehouseError('GH_DB_UNAVAILABLE', { detail: 'no configuration was read yet' })
      return standing
    },
    rebuild,
    catchUp: () => (isBehind() || !epochs.freshWithin(FRESH_MS) ? catchUp() : null),
    onSwap: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    stop: async () => {
      isStopped = true
      unfollow()
      clearTimeout(retry)
      await Promise.allSettled([running, next])
      for (const [timer, retire] of leaving) {
        clearTimeout(timer)
        retire()
      }
      for (const rule of held.values()) retireRule(rule)
      held = new Map()
    },
  }
}

/** All of one epoch: a change in between is read again. */
async function load(store: SnapshotsOptions['store']): Promise<Loaded> {
  for (let reading = 1; ; reading++) {
    const epoch = await store.epoch()
    const [gateways, servers, identities, idps, engines, artifacts, versions, settings, quarantines] =
      await Promise.all([
        store.gateways.all(),
        store.servers.all(),
        store.identities.shared(),
        store.idps.all(),
        store.engines.all(),
        store.artifacts.all(),
        store.artifacts.versions(),
        store.settings.get(),
        store.quarantines.all(),
      ])
    // Labelled with the number from before, a torn reading is found old by whoever compares.
    if (reading === READINGS || (await store.epoch()) === epoch)
      return { epoch, gateways, servers, identities, idps, engines, artifacts, versions, settings, quarantines }
  }
}

interface Preparing extends SnapshotsOptions {
  readonly contents: ArtifactContents
}

/** Compiles what is new or was broken; when one fails, those already made are given back. */
async function prepareAll(loaded: Loaded, held: Held, options: Preparing): Promise<Compiled> {
  const { contents, engineKinds, retireRule } = options
  const engines = bySlug(loaded.engines)
  const rules = loaded.gateways.flatMap((gateway) => gateway.rules).filter((rule) => rule.enabled)
  const uses = await usesOf(rules, { loaded, engines, kinds: engineKinds(), contents })
  const all = [...uses.values()].flat()
  const open = opener(options.openEngine)
  const outcomes = await Promise.allSettled(
    all.map(async (use) => {
      const known = held.get(use.key)
      if (known !== undefined && known.broken === null) return known
      const engine = engines.get(use.rule.engine)
      return prepareUse(use, engine === undefined ? null : await open(engine), options)
    }),
  )
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  const made = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  if (failed === undefined) return { uses, prepared: new Map(made.map((one, index) => [all[index]!.key, one])) }
  const kept = new Set(held.values())
  for (const compiled of made) if (!kept.has(compiled)) retireRule(compiled)
  throw failed.reason
}

/** What must not run is never shown to its engine. */
async function prepareUse(
  { rule, artifact, problem }: RuleUse,
  instance: OpenedEngine | null,
  { contents, prepareRule }: Preparing,
): Promise<CompiledRule> {
  const opened = artifact === null ? null : await contents.open(artifact)
  if (problem === null) return prepareRule(rule, instance, opened)
  return { ...(await prepareRule(rule, instance, null)), broken: problem }
}

/** Opens each engine once. */
function opener(openEngine: SnapshotsOptions['openEngine']): (engine: Engine) => Promise<OpenedEngine> {
  const opened = new Map<string, Promise<OpenedEngine>>()
  return (engine) => {
    const known = opened.get(engine.id) ?? openEngine(engine)
    opened.set(engine.id, known)
    return known
  }
}

const describe = (thrown: unknown): string =>
  thrown instanceof GatehouseError ? `${thrown.code} ${thrown.detail ?? thrown.message}` : String(thrown)
