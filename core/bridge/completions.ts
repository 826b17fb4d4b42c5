import type { CancelSignal } from '../domain/cancel-signal.js'

/** What was done at a URL that a server sent its client to (elicitation in URL mode, 2025-11-25). */
export interface Completions {
  /** The server says that this one is done with. */
  done(serverId: string, elicitationId: string): void
  /** Waits until one of them is done with, at most so many milliseconds. */
  wait(serverId: string, elicitationIds: readonly string[], ms: number, signal: CancelSignal): Promise<void>
}

/** So many are remembered for whoever asks later. */
const MOST = 1_000

export function createCompletions(): Completions {
  const known = new Set<string>()
  const waiting = new Map<string, Set<() => void>>()
  return {
    done(serverId, elicitationId) {
      const name = `${serverId} ${elicitationId}`
      for (const wake of waiting.get(name) ?? []) wake()
      known.add(name)
      if (known.size <= MOST) return
      const [oldest] = known
      known.delete(oldest ?? name)
    },
    async wait(serverId, elicitationIds, ms, signal) {
      const names = elicitationIds.map((id) => `${serverId} ${id}`)
      if (signal.aborted || names.some((name) => known.has(name))) return
      let wake = () => {}
      const woken = new Promise<void>((resolve) => (wake = resolve))
      const timer = setTimeout(wake, ms)
      signal.addEventListener('abort', wake, { once: true })
      for (const name of names) waiting.set(name, (waiting.get(name) ?? new Set()).add(wake))
      await woken
      clearTimeout(timer)
      signal.removeEventListener('abort', wake)
      for (const name of names) {
        const left = waiting.get(name)
        left?.delete(wake)
        if (left?.size === 0) waiting.delete(name)
      }
    },
  }
}
