import { fork } from 'node:child_process'
import { once } from 'node:events'

const MIB = 1024 * 1024
const ERAS = ['legacy', 'modern']

/**
 * Every burst is one of these: the bytes of the tool's text, and how many calls are on their way at once. `notes`: an event
 * stream with so many notes before the result; `answerBytes`: a result of that length, whatever the text.
 */
export const GROUPS = {
  calls: [64, 2048].flatMap((bytes) => [1, 16, 64].map((inFlight) => ({ group: 'calls', bytes, inFlight }))),
  streams: [1, 16].map((inFlight) => ({ group: 'streams', bytes: 64, inFlight, notes: 1 })),
  large: [1, 4].map((inFlight) => ({ group: 'large', bytes: 64, inFlight, answerBytes: MIB })),
  eras: ERAS.flatMap((client) => ERAS.map((server) => ({ group: 'eras', bytes: 64, inFlight: 16, client, server }))),
}

export const loadsOf = (groups) => groups.flatMap((group) => GROUPS[group])

/** Which fronts can do it at all, as they are set up here: the library and the SDK answer in plain JSON and drop notes. */
const ABLE = {
  calls: () => true,
  streams: (front) => ['direct', 'pass-through', 'gatehouse'].includes(front),
  large: (front) => front !== 'gatehouse-rules',
  eras: () => false,
}

export const isFor = (front, { group }) => ABLE[group](front)

export function nameOf({ group, bytes, inFlight, client, server }) {
  switch (group) {
    case 'calls':
      return `${bytes} bytes, ${inFlight} in flight`
    case 'streams':
      return `${bytes} bytes, a note and the result in an event stream, ${inFlight} in flight`
    case 'large':
      return `a result of 1 MiB, ${inFlight} in flight`
    case 'eras':
      return `${client} client, ${server} server, ${bytes} bytes, ${inFlight} in flight`
  }
}

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
