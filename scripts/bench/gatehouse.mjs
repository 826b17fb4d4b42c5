import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, open, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openRecord } from './database.mjs'

const main = fileURLToPath(new URL('../../core/dist/main.js', import.meta.url))
const command = fileURLToPath(new URL('../../core/bin/gatehouse.mjs', import.meta.url))
const START_MS = 30_000

/**
 * Gatehouse as an operator would run it, with a home, a file and a database of its own and a token for one host: every call
 * is authenticated, permitted and recorded. `upstreams` become the servers of the one gateway.
 */
export async function startGatehouse({ name, upstreams, rules, settings, home: parent, postgres, execArgv = [] }) {
  const home = join(parent, name)
  await mkdir(home)
  const file = join(home, 'gatehouse.yaml')
  await writeFile(file, JSON.stringify(fileFor(upstreams, rules, settings)))
  const database = await postgres.create(`bench_${name}`)
  const port = await freePort()
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    NODE_ENV: 'production',
    PORT: String(port),
    HOST: '127.0.0.1',
    GATEHOUSE_URL: `http://127.0.0.1:${port}`,
    GATEHOUSE_HOME: home,
    GATEHOUSE_CONFIG: file,
    DATABASE_URL: database.url,
    LOG_LEVEL: 'warn',
  }
  const log = await open(join(home, 'bench.log'), 'w')
  const child = spawn(process.execPath, [...execArgv, main], { env, cwd: home, stdio: ['ignore', log.fd, log.fd] })
  const ended = once(child, 'exit')
  const end = () => child.kill()
  process.once('exit', end)
  await ready(port, child, log.path ?? join(home, 'bench.log'))
  const record = await openRecord(database.url)
  const stop = async () => {
    await record.close()
    process.off('exit', end)
    child.kill()
    await ended
    await log.close()
  }
  const token = await mintToken(env)
  return { port, path: '/mcp/bench', headers: { authorization: `Bearer ${token}` }, pid: child.pid, record, stop }
}

/** JSON is YAML. */
function fileFor(upstreams, rules, settings) {
  const names = upstreams.map((_, n) => `echo-${n + 1}`)
  const servers = upstreams.map(({ port, path }, n) => [
    names[n],
    { url: `http://127.0.0.1:${port}${path}`, auth: 'none' },
  ])
  return {
    version: 1,
    ...(settings === undefined ? {} : { settings }),
    servers: Object.fromEntries(servers),
    gateways: { bench: { servers: names.map((server) => ({ server })), rules } },
  }
}

async function mintToken(env) {
  const args = [command, 'token', 'create', '--gateway', 'bench', '--host', 'bench', '--json']
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, cwd: env.GATEHOUSE_HOME })
  const token = /API_[A-Za-z0-9_-]{43}/.exec(stdout)?.[0]
  if (token === undefined) throw new Error('gatehouse token create printed no token')
  return token
}

async function ready(port, child, log) {
  const until = performance.now() + START_MS
  while (performance.now() < until && child.exitCode === null) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null)
    if (answer?.ok) return
    await wait(50)
  }
  child.kill()
  throw new Error(`Gatehouse did not become ready; its log is ${log}`)
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
