import { fork } from 'node:child_process'
import { once } from 'node:events'

/** Every burst is one of these: the bytes of the tool's one argument, and how many calls are on their way at once. */
export const LOADS = [64, 2048].flatMap((bytes) => [1, 16, 64].map((inFlight) => ({ bytes, inFlight })))

/** The load generator's process. `ask` gives it one task at a time. */
export function startLoad() {
  const child = fork(new URL('load.mjs', import.meta.url), { env: { PATH: process.env.PATH }, execArgv: [] })
  const ended = once(child, 'exit')
  return {
    async ask(task, options) {
      child.send({ task, ...options })
      const told = await Promise.race([
        once(child, 'message'),
        ended.then(() => [{ error: 'the load generator ended' }]),
      ])
      const [{ answer, error }] = told
      if (error !== undefined) throw new Error(`${options.name}: ${error}`)
      return answer
    },
    async stop() {
      child.kill()
      await ended
    },
  }
}
