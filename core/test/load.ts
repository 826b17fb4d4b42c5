import { call, legacy } from './door.js'
import type { Access } from './gateway.js'
import { until } from './until.js'

export interface Load {
  /** Waits until so many more calls were answered from now on. */
  answeredMore(count: number): Promise<void>
  /** Lets the calls under way end. `failed` says what went wrong with those that were not answered by a result. */
  stop(): Promise<{ readonly answered: readonly string[]; readonly failed: readonly string[] }>
}

/** Calls `act` again and again, each worker one call after the other, under ids that nobody else uses. */
export function startLoad(access: Access, { workers = 8, name = 'load' } = {}): Load {
  const answered: string[] = []
  const failed: string[] = []
  let [running, calls] = [true, 0]
  const work = async () => {
    while (running) {
      const id = `${name}-${(calls += 1)}`
      try {
        const { status, json, text } = await legacy(access, { id, ...call('act') })
        if (status === 200 && json?.result !== undefined && json.id === id) answered.push(id)
        else failed.push(`${id}: ${status} ${text}`)
      } catch (error) {
        failed.push(`${id}: ${String(error)}`)
        // Whoever has nobody to talk to any more is done.
        return
      }
    }
  }
  const all = Promise.all(Array.from({ length: workers }, work))
  return {
    async answeredMore(count) {
      const wanted = answered.length + count
      await until(`${count} more calls are answered`, () => (answered.length >= wanted ? true : undefined))
    },
    async stop() {
      running = false
      await all
      return { answered, failed }
    },
  }
}
