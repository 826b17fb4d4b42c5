import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, readlink, realpath, rm } from 'node:fs/promises'
import { platform } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client } from 'pg'
import type { PluginLog } from '@gatehouse/sdk'
import { GatehouseError } from '../errors.js'
import { port, serverEnv, spawnAs } from './embedded-cluster.js'
import type { Cluster } from './embedded-cluster.js'

const run = promisify(execFile)
/** Recovery after a crash replays the log since the last checkpoint: it may take its time. */
const startMs = 120_000
const silentMs = 5000
const dyingMs = 10_000
const lockFileMs = 15_000
const stopMs = { SIGINT: 30_000, SIGQUIT: 5000, SIGKILL: 5000 }
const pollMs = 20
const longestLog = 1_048_576

const settings = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: '50',
  shared_buffers: '64MB',
  max_wal_size: '512MB',
  max_wal_senders: '0',
  wal_level: 'minimal',
  // A container's /dev/shm is too small for parallel workers.
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  io_method: 'sync',
  timezone: 'UTC',
  // Errors of statements are the caller's business; here they would only carry data into a log.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
}
const throwawaySettings = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', max_connections: '200' }

export interface Server {
  readonly socketDir: string
  stop(): Promise<void>
}

/** Adopts the server that runs on this folder already, or starts one. */
export async function reachServer(cluster: Cluster, log: PluginLog): Promise<Server> {
  const began = Date.now()
  let last: { state: State; since: number } | undefined
  while (Date.now() - began < startMs) {
    const found = await readPidFile(cluster)
    const state = found === undefined ? 'gone' : await look(cluster, found)
    if (last?.state !== state) last = { state, since: Date.now() }
    const lasted = Date.now() - last.since
    if (found !== undefined && state === 'open') {
      log.info({ pid: found.pid }, 'adopted the embedded database that an earlier process left running')
      return { socketDir: found.socketDir, stop: () => stopProcess(found.pid, cluster) }
    }
    if (found !== undefined && state === 'silent' && lasted > silentMs) await stopProcess(found.pid, cluster)
    if (state === 'stranger' || (state === 'dying' && lasted > dyingMs)) await rm(pidFile(cluster), { force: true })
    if (state === 'gone') {
      const server = await launch(cluster)
      if (server !== undefined) return server
      if (Date.now() - began > lockFileMs) break
    }
    await wait(pollMs)
  }
  throw await failed(cluster)
}

export async function connect(cluster: Cluster, socketDir: string): Promise<Client> {
  const client = new Client({
    host: socketDir,
    port,
    user: cluster.user,
    password: cluster.password,
    database: 'postgres',
    connectionTimeoutMillis: silentMs,
  })
  await client.connect()
  return client
}

interface PidFile {
  readonly pid: number
  readonly socketDir: string
  readonly ready: boolean
}

function pidFile(cluster: Cluster): string {
  return join(cluster.data, 'postmaster.pid')
}

/** The file's lines: pid, data folder, start time, port, socket folder, address, shared memory, status. */
async function readPidFile(cluster: Cluster): Promise<PidFile | undefined> {
  const text = await readFile(pidFile(cluster), 'utf8').catch(() => '')
  const lines = text.split('\n').map((line) => line.trim())
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  return { pid, socketDir: lines[4] || cluster.socketDir, ready: lines[7] === 'ready' }
}

/**
 * `open`: it answers to our password. `busy`: it starts or stops. `silent`: it is our server, and does not answer.
 * `dying`: it has ended, and nobody has collected it yet. `stranger`: the pid now belongs to another process, which we
 * must not touch. `gone`: nobody there.
 */
type State = 'open' | 'busy' | 'silent' | 'dying' | 'stranger' | 'gone'

async function look(cluster: Cluster, found: PidFile): Promise<State> {
  try {
    const client = await connect(cluster, found.socketDir)
    await client.end()
    return 'open'
  } catch (error) {
    if (codeOf(error) === '57P03') return 'busy'
  }
  return isAlive(found.pid) ? identify(found.pid, cluster) : 'gone'
}

/** A server's working folder is its data folder, which tells ours from any other process, PostgreSQL or not. */
async function identify(pid: number, cluster: Cluster): Promise<State> {
  if (platform() !== 'linux') {
    const { stdout } = await run('ps', ['-o', 'command=', '-p', String(pid)], { env: serverEnv }).catch(() => ({
      stdout: '',
    }))
    return stdout.includes(cluster.data) ? 'silent' : 'stranger'
  }
  try {
    const folder = await readlink(`/proc/${pid}/cwd`)
    return folder === (await realpath(cluster.data)) ? 'silent' : 'stranger'
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? 'dying' : 'stranger'
  }
}

/** Answers nothing when another server was there first, or one that is just ending still counts as there. */
async function launch(cluster: Cluster): Promise<Server | undefined> {
  const child = await spawnServer(cluster)
  const ended = once(child, 'exit').then(() => 'ended' as const)
  const until = Date.now() + startMs
  while (Date.now() < until) {
    const found = await readPidFile(cluster)
    if (found?.pid === child.pid && found?.ready) {
      return { socketDir: cluster.socketDir, stop: () => stopProcess(found.pid, cluster, ended) }
    }
    if ((await Promise.race([ended, wait(pollMs)])) === 'ended') {
      if ((await readFile(cluster.logFile, 'utf8')).includes('lock file "postmaster.pid" already exists'))
        return undefined
      throw await failed(cluster)
    }
  }
  child.kill('SIGQUIT')
  throw await failed(cluster)
}

async function spawnServer(cluster: Cluster): Promise<ChildProcess> {
  const all = {
    ...settings,
    ...(cluster.throwaway ? throwawaySettings : {}),
    unix_socket_directories: cluster.socketDir,
    port: String(port),
  }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const output = await open(cluster.logFile, 'a', 0o600)
  if ((await output.stat()).size > longestLog) await output.truncate()
  try {
    const child = spawn(cluster.postgres, ['-D', cluster.data, ...flags], {
      ...spawnAs(cluster.account),
      env: serverEnv,
      stdio: ['ignore', output.fd, output.fd],
      // A group of its own: Ctrl-C in the terminal must reach us first, so that calls can be finished.
      detached: !cluster.throwaway,
    })
    await once(child, 'spawn')
    child.unref()
    return child
  } finally {
    await output.close()
  }
}

async function stopProcess(pid: number, cluster: Cluster, ended?: Promise<unknown>): Promise<void> {
  let childEnded = false
  void ended?.then(() => (childEnded = true))
  const isGone = async (): Promise<boolean> => {
    await Promise.race([ended ?? wait(pollMs), wait(pollMs)])
    if (ended !== undefined) return childEnded
    return !isAlive(pid) || (await identify(pid, cluster)) === 'dying'
  }
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    send(pid, signal)
    for (const until = Date.now() + stopMs[signal]; Date.now() < until;) if (await isGone()) return
  }
  throw new GatehouseError('GH_DB_EMBEDDED', { message: 'The embedded database does not stop.' })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error
  }
}

async function failed(cluster: Cluster): Promise<GatehouseError> {
  return new GatehouseError('GH_DB_EMBEDDED', {
    message: `The embedded database does not start; ${cluster.logFile} says why.`,
    detail: await lastWords(cluster),
  })
}

async function lastWords(cluster: Cluster): Promise<string> {
  const text = await readFile(cluster.logFile, 'utf8').catch(() => '')
  return text.trim().split('\n').slice(-3).join(' | ')
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
