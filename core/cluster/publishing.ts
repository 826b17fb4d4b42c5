import { setTimeout as pause } from 'node:timers/promises'
import type { PluginLog } from '@gatehouse/sdk'
import { Client } from 'pg'

/**
 * `epoch`: the new number. `replicas`: the id of one that came or left. `ended`, `changed`: the hash of a session. These are
 * told by triggers, whatever made the change. `told`: see `told.ts`.
 */
export const CHANNELS = ['epoch', 'replicas', 'ended', 'changed', 'told'] as const
export type Channel = (typeof CHANNELS)[number]

/** PostgreSQL takes less than 8,000 bytes. */
export const LONGEST_PAYLOAD = 7_999

/**
 * Short notices to all replicas, this one too. A notice may be lost, and one that was lost is never told again: it makes
 * things fast, and what must hold is read from the tables.
 */
export interface Publishing {
  publish(channel: Channel, payload: string): Promise<void>
  /** Answers how to stop listening. Listeners must not throw. */
  on(channel: Channel, listener: (payload: string) => void): () => void
  /** Told whenever notices may have been missed, and are heard again. */
  onGap(listener: () => void): () => void
  stop(): Promise<void>
}

export interface PublishingOptions {
  readonly url: string
  /** Runs a statement on any connection. */
  readonly query: (sql: string, given: readonly unknown[]) => Promise<unknown>
  readonly log: Pick<PluginLog, 'warn' | 'info'>
  readonly firstRetryMs?: number
  readonly pingMs?: number
}

const ANSWER_MS = 5_000
const LONGEST_RETRY_MS = 10_000
const PREFIX = 'gatehouse_'

/** Listens on a connection of its own, made anew when it breaks. Resolves when it listens or has failed to for the first time. */
export async function openPublishing(options: PublishingOptions): Promise<Publishing> {
  const { query, log, firstRetryMs = 250 } = options
  const listeners = new Map<string, Set<(payload: string) => void>>()
  const gaps = new Set<() => void>()
  const stopping = new AbortController()
  const tell = (name: string, payload: string) => {
    for (const listener of listeners.get(name) ?? []) listener(payload)
  }

  const keepListening = async (onFirst: () => void): Promise<void> => {
    for (let tries = 0; !stopping.signal.aborted; tries++) {
      const listening = () => {
        tries = 0
        onFirst()
        for (const gap of gaps) gap()
      }
      const why = await listen(options, { tell, listening, stop: stopping.signal })
      onFirst()
      if (stopping.signal.aborted) return
      log.warn({ error: why }, 'the connection for notices broke; changes elsewhere are heard a little later')
      const wait = Math.min(LONGEST_RETRY_MS, firstRetryMs * 2 ** tries)
      await pause(wait, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined)
    }
  }
  let running: Promise<void> = Promise.resolve()
  await new Promise<void>((onFirst) => (running = keepListening(onFirst)))

  return {
    publish: async (channel, payload) => {
      await query('select pg_notify($1, $2)', [PREFIX + channel, payload])
    },
    on(channel, listener) {
      const own = listeners.get(PREFIX + channel) ?? new Set()
      listeners.set(PREFIX + channel, own.add(listener))
      return () => void own.delete(listener)
    },
    onGap(listener) {
      gaps.add(listener)
      return () => void gaps.delete(listener)
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}

interface Ear {
  readonly tell: (name: string, payload: string) => void
  readonly listening: () => void
  readonly stop: AbortSignal
}

/** One connection until it breaks or is not wanted any more; answers why it ended. Never throws. */
async function listen({ url, pingMs = 10_000 }: PublishingOptions, { tell, listening, stop }: Ear): Promise<string> {
  const client = new Client({
    connectionString: url,
    keepAlive: true,
    application_name: 'gatehouse notices',
    connectionTimeoutMillis: ANSWER_MS,
    query_timeout: ANSWER_MS,
  })
  let stopped = () => undefined as void
  const broken = new Promise<string>((resolve) => {
    client.once('error', (error) => resolve(String(error)))
    client.once('end', () => resolve('it was closed'))
    stopped = () => resolve('stopped')
  })
  stop.addEventListener('abort', stopped)
  client.on('error', () => undefined)
  client.on('notification', ({ channel, payload = '' }) => tell(channel, payload))
  let timer: NodeJS.Timeout | undefined
  try {
    await client.connect()
    await client.query(CHANNELS.map((channel) => `listen ${PREFIX}${channel}`).join('; '))
    listening()
    // A connection whose other end is gone without a word is found out by asking.
    const silent = new Promise<string>((resolve) => {
      timer = setInterval(() => void client.query('select 1').catch((error) => resolve(String(error))), pingMs).unref()
    })
    return await Promise.race([broken, silent])
  } catch (thrown) {
    return String(thrown)
  } finally {
    clearInterval(timer)
    stop.removeEventListener('abort', stopped)
    await Promise.race([client.end().catch(() => undefined), pause(1_000, undefined, { ref: false })])
  }
}
