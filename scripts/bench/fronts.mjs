import { fork } from 'node:child_process'
import { once } from 'node:events'
import { startGatehouse } from './gatehouse.mjs'

/**
 * How each front is started. A front is a running process that answers MCP: `{ port, path, headers, pid, stop }`, with
 * `record` where it keeps one, and with a `pid` of null where there is no process but the upstream's.
 */
export const STARTS = {
  direct: async ({ upstream }) => ({ ...upstream, pid: null, stop: async () => undefined }),
  'pass-through': ({ upstream }) => startScript('pass-through', upstream),
  gatehouse: ({ upstream, place }) => startGatehouse({ name: 'plain', upstreams: [upstream], rules: [], ...place }),
  'gatehouse-rules': ({ upstream, rules, place }) =>
    startGatehouse({ name: 'ruled', upstreams: [upstream], rules, ...place }),
  sdk: ({ upstream }) => startScript('sdk', upstream),
  'mcp-proxy': ({ upstream }) => startScript('mcp-proxy', upstream),
}

/** One of `fronts/`, in a process of its own that ends with this one. */
export async function startScript(name, upstream) {
  const env = { PATH: process.env.PATH, NODE_ENV: 'production' }
  if (upstream !== null) env.UPSTREAM = `http://127.0.0.1:${upstream.port}${upstream.path}`
  const child = fork(new URL(`fronts/${name}.mjs`, import.meta.url), { env, execArgv: ['--no-warnings'] })
  const ended = once(child, 'exit')
  const told = await Promise.race([once(child, 'message'), ended.then(() => null)])
  if (told === null) throw new Error(`the front ${name} ended before it listened`)
  const stop = async () => {
    child.kill()
    await ended
  }
  return { port: told[0].port, path: '/mcp', headers: {}, pid: child.pid, stop }
}
