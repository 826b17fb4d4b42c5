import { fork } from 'node:child_process'
import { once } from 'node:events'

/** What is done to the one server; the first leaves no process. */
export const TROUBLES = ['killed', 'hung', 'slow', 'limited', 'unauthorised', 'cut']

/** A server in a process of its own that can be troubled and healed, always on the same port. */
export async function startTroubled() {
  let child = null
  let ended = null
  const start = async (port) => {
    const env = { PATH: process.env.PATH, NODE_ENV: 'production', ...(port === 0 ? {} : { PORT: String(port) }) }
    child = fork(new URL('fronts/troubled.mjs', import.meta.url), { env, execArgv: ['--no-warnings'] })
    ended = once(child, 'exit')
    const told = await Promise.race([once(child, 'message'), ended.then(() => null)])
    if (told === null) throw new Error('the troubled server ended before it listened')
    return told[0].port
  }
  const end = async () => {
    child.kill('SIGKILL')
    await ended
  }
  const tell = async (trouble) => {
    const told = once(child, 'message')
    child.send({ trouble })
    await told
  }
  const port = await start(0)
  return {
    port,
    path: '/mcp',
    befall: (trouble) => (trouble === 'killed' ? end() : tell(trouble)),
    heal: (trouble) => (trouble === 'killed' ? start(port) : tell('well')),
    stop: end,
  }
}
