import { spawn, type ChildProcess } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Pool } from 'pg'
import { createLogReader, type LogFilter, type LogRowWithBody } from '../record/query.js'
import { messageOf } from '../domain/record.js'
import { testDatabase } from './database.js'
import { until } from './until.js'

export interface GatewayOptions {
  /** The operator's file; without it the gateway starts with its quickstart. */
  readonly yaml?: string
  readonly env?: Readonly<Record<string, string>>
  /** A folder that stays after `stop`; a new one, removed at the end, unless given. */
  readonly home?: string
  /** A database that stays after `stop`; `null` is the embedded one in the home; a new one of the test server unless given. */
  readonly databaseUrl?: string | null
}

/** What an agent needs to come in: its URL at one gateway and its token. */
export interface Access {
  readonly url: string
  readonly token: string
  readonly tokenId: string
  readonly host: string
}

/** All rows of one message, in the order of its legs. */
export interface Recorded {
  readonly correlationId: string
  readonly method: string | null
  readonly legs: readonly LogRowWithBody[]
}

/** The real gateway as a process of its own. */
export interface RunningGateway {
  readonly url: string
  readonly pid: number
  readonly home: string
  readonly file: string
  readonly databaseUrl: string | null
  /** A `gpat_` of the operator, as the command line finds it. */
  readonly adminToken: string
  readonly banner: string
  /** Everything it has written to its log until now. */
  logs(): string
  /** The admin API; throws for an answer that is no success. */
  api(method: string, path: string, body?: unknown): Promise<Readonly<Record<string, unknown>>>
  mintToken(want: { readonly gateway: string; readonly host: string; readonly user?: string }): Promise<Access>
  /** Puts a new operator's file in the place of the old one and waits until it is applied; throws when it is refused. */
  configure(yaml: string): Promise<void>
  /**
   * What the record holds of a host, oldest first: complete, since the record is in order and a mark that is sent now is
   * waited for. With a filter, all messages that fit it, of whomever.
   */
  recorded(access: Access, filter?: LogFilter): Promise<readonly Recorded[]>
  /** Ends it as an operator would. */
  stop(): Promise<void>
  /** Kill -9. Home and database stay until `stop`. */
  kill(): Promise<void>
}

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url))
/** What a test's own surroundings must not lend to the gateway. */
const OWN = /^(GATEHOUSE_|DATABASE_URL$|PORT$|HOST$|HTTPS?_PROXY$|NO_PROXY$|NODE_OPTIONS$)/i
const children = new Set<Child>()

interface Child {
  readonly process: ChildProcess
  readonly ended: Promise<number | null>
  out: string
  log: string
}

// The log of a gateway is worth reading when something went wrong, and only then.
process.on('exit', (code) => {
  for (const { process: child, log } of children) {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) killGroup(child.pid)
    if (code !== 0) console.error(`--- log of gateway ${child.pid}\n${log.split('\n').slice(-40).join('\n')}`)
  }
})

export async function startGateway(options: GatewayOptions = {}): Promise<RunningGateway> {
  const lent = options.databaseUrl === undefined ? await testDatabase() : null
  const databaseUrl = lent?.url ?? options.databaseUrl ?? null
  const home = options.home ?? (await makeHome())
  const clear = async () => {
    if (options.home === undefined) await rm(home, { recursive: true, force: true, maxRetries: 5 })
    await lent?.drop()
  }
  try {
    const { child, file } = await spawnGateway(options, home, databaseUrl)
    const url = await urlOf(child)
    return await talkTo({ child, file, url, home, databaseUrl, clear })
  } catch (thrown) {
    await clear()
    throw thrown
  }
}

/** The last words and the exit code of a gateway that must not start. */
export async function refusedStart(options: GatewayOptions): Promise<{ said: string; code: number | null }> {
  const lent = options.databaseUrl === undefined ? await testDatabase() : null
  const home = options.home ?? (await makeHome())
  const { child } = await spawnGateway(options, home, lent?.url ?? options.databaseUrl ?? null)
  try {
    const url = await Promise.race([child.ended.then(() => null), urlOf(child).catch(() => null)])
    if (url !== null) throw new Error('it started')
    return { said: child.log, code: await child.ended }
  } finally {
    if (child.process.pid !== undefined) killGroup(child.process.pid)
    await child.ended
    children.delete(child)
    if (options.home === undefined) await rm(home, { recursive: true, force: true, maxRetries: 5 })
    await lent?.drop()
  }
}

/** A home that the embedded database's own user can reach, too. */
export async function makeHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'gh-home-'))
  await chmod(home, 0o755)
  return home
}

async function spawnGateway(options: GatewayOptions, home: string, databaseUrl: string | null) {
  const file = join(home, 'config', 'gatehouse.yaml')
  if (options.yaml !== undefined) {
    await mkdir(join(home, 'config'), { recursive: true })
    await writeFile(file, options.yaml)
  }
  const env = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !OWN.test(name))),
    PORT: '0',
    GATEHOUSE_HOME: home,
    ...(databaseUrl === null ? {} : { DATABASE_URL: databaseUrl }),
    ...(options.yaml === undefined ? {} : { GATEHOUSE_CONFIG: file }),
    ...options.env,
  }
  const started = spawn(process.execPath, ['--enable-source-maps', MAIN], {
    cwd: home,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const ended = new Promise<number | null>((resolve) => started.once('close', (code) => resolve(code)))
  const child: Child = { process: started, ended, out: '', log: '' }
  started.stdout.setEncoding('utf8').on('data', (text: string) => (child.out += text))
  started.stderr.setEncoding('utf8').on('data', (text: string) => (child.log += text))
  children.add(child)
  return { child, file }
}

/** The banner is written when everything listens. */
async function urlOf(child: Child): Promise<string> {
  const listening = /listens at (\S+)[^]*\n$/
  const found = until('the gateway listens', () => listening.exec(child.out)?.[1] ?? isOver(child), { seconds: 60 })
  const url = await found
  if (url === true) throw new Error(`the gateway did not start:\n${child.out}${child.log}`)
  return url
}

const isOver = ({ process: child }: Child) => (child.exitCode !== null || child.signalCode !== null ? true : undefined)

interface Running {
  readonly child: Child
  readonly file: string
  readonly url: string
  readonly home: string
  readonly databaseUrl: string | null
  readonly clear: () => Promise<void>
}

async function talkTo({ child, file, url, home, databaseUrl, clear }: Running): Promise<RunningGateway> {
  const credential = JSON.parse(await readFile(join(home, 'cli.json'), 'utf8')) as { url: string; token: string }
  const pool = databaseUrl === null ? null : new Pool({ connectionString: databaseUrl, max: 2 })
  pool?.on('error', () => undefined)
  let marks = 0

  const api: RunningGateway['api'] = async (method, path, body) => {
    const response = await fetch(`${credential.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${credential.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text === '' ? {} : (JSON.parse(text) as Readonly<Record<string, unknown>>)
  }

  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (isOver(child) === undefined) child.process.kill(signal)
    await child.ended
    children.delete(child)
  }

  const mark = async (access: Access, filter?: LogFilter): Promise<LogFilter> => {
    if (pool === null) throw new Error('the record of an embedded database is not read here')
    const id = `mark-${process.pid}-${(marks += 1)}`
    const since = Date.now() - 1_000
    const { status } = await fetch(access.url, {
      method: 'POST',
      headers: { authorization: `Bearer ${access.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id, method: 'ping' }),
    })
    if (status !== 200) throw new Error(`the mark was answered ${status}`)
    const seen = await until('the mark is on record', async () => {
      const { rows } = await createLogReader(pool).logs({ method: 'ping', since, limit: 100 })
      return rows.find((row) => row.jsonrpc_id === id)
    })
    return filter ?? { hostId: seen.host_id ?? '' }
  }

  return {
    url,
    pid: child.process.pid ?? 0,
    home,
    file,
    databaseUrl,
    adminToken: credential.token,
    banner: child.out,
    logs: () => child.log,
    api,
    async mintToken(want) {
      const made = (await api('POST', '/tokens', { kind: 'access', ...want })) as Record<
        'id' | 'secret' | 'url',
        string
      >
      return { url: made.url, token: made.secret, tokenId: made.id, host: want.host }
    },
    async configure(yaml) {
      const before = child.log.length
      // As editors and orchestrators do: a reader never sees half a file.
      await writeFile(`${file}.new`, yaml)
      await rename(`${file}.new`, file)
      const line = await until('the file is read', () =>
        child.log
          .slice(before)
          .split('\n')
          .slice(0, -1)
          .find((text) => /"configuration file (applied|not applied)/.test(text)),
      )
      if (line.includes('not applied')) throw new Error(line)
    },
    async recorded(access, given) {
      const filter = await mark(access, given)
      return messagesOf(pool as Pool, filter)
    },
    async stop() {
      await end('SIGTERM')
      await pool?.end()
      await clear()
    },
    kill: () => end('SIGKILL'),
  }
}

async function messagesOf(pool: Pool, filter: LogFilter): Promise<readonly Recorded[]> {
  const legs = new Map<string, LogRowWithBody[]>()
  let before: string | null | undefined
  while (before !== null) {
    const page = await createLogReader(pool).logs({
      ...filter,
      ...(before === undefined ? {} : { before }),
      limit: 500,
      withBodies: true,
    })
    for (const row of page.rows) {
      const known = legs.get(messageOf(row))
      if (known === undefined) legs.set(messageOf(row), [row])
      else known.push(row)
    }
    before = page.next
  }
  return [...legs]
    .map(([, rows]) => ({
      correlationId: rows[0]?.correlation_id ?? '',
      method: rows[0]?.method ?? null,
      legs: rows,
    }))
    .filter(({ legs: rows }) => !rows[0]?.jsonrpc_id?.startsWith('mark-'))
    .toReversed()
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
