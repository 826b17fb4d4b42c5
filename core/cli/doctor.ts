import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { connect, findCredential, homeOf } from './client.js'
import { columns, CommandError, plain } from './io.js'
import type { Io } from './io.js'

interface Finding {
  readonly check: string
  readonly state: 'ok' | 'warning' | 'failed'
  readonly message: string
}
type Result = Omit<Finding, 'check'>

const LEAST_BYTES = 1024 ** 3
const MOST_DRIFT_MS = 60_000

export function addDoctorCommand(program: Command, io: Io): void {
  program
    .command('doctor')
    .description('Look for what commonly goes wrong, here and at the gateway.')
    .option('--json', 'print the findings as JSON')
    .action(async ({ json }: { readonly json?: boolean }) => {
      const findings = await examine(io)
      if (json) io.out(`${JSON.stringify(findings, null, 2)}\n`)
      else io.out(`${columns(findings.map(({ check, state, message }) => [state, check, plain(message)]))}\n`)
      const failed = findings.filter(({ state }) => state === 'failed').length
      if (failed > 0) throw new CommandError(`${failed} of ${findings.length} checks failed.`)
    })
}

const CHECKS: Readonly<Record<string, (io: Io) => Promise<Result> | Result>> = {
  node: checkNode,
  home: checkHome,
  disk: checkDisk,
  gateway: checkGateway,
  database: checkDatabase,
  credential: checkCredential,
  clock: checkClock,
}

async function examine(io: Io): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const [check, look] of Object.entries(CHECKS)) {
    try {
      findings.push({ check, ...(await look(io)) })
    } catch (error) {
      findings.push({ check, ...failed((error as Error).message.split('\n')[0] ?? '') })
    }
  }
  return findings
}

const ok = (message: string): Result => ({ state: 'ok', message })
const warning = (message: string): Result => ({ state: 'warning', message })
const failed = (message: string): Result => ({ state: 'failed', message })

function checkNode({ nodeVersion }: Io): Result {
  const [major = 0, minor = 0] = nodeVersion.replace('v', '').split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) return failed(`${nodeVersion}: 20.19 or later is needed`)
  return major === 20 ? warning(`${nodeVersion} works, but its line gets no more fixes: use 24`) : ok(nodeVersion)
}

async function checkHome(io: Io): Promise<Result> {
  const home = homeOf(io)
  const found = await stat(home).catch(() => null)
  if (found === null) return warning(`${home} is not there yet; the first start makes it`)
  await access(home, constants.R_OK | constants.W_OK).catch(() => {
    throw new Error(`${home} cannot be read and written by this user`)
  })
  for (const name of ['cli.json', 'master.key', 'quickstart.json']) {
    const file = await stat(join(home, name)).catch(() => null)
    if (file && (file.mode & 0o077) !== 0)
      return failed(`${join(home, name)} can be read by others: run chmod 600 on it`)
  }
  return ok(home)
}

async function checkDisk(io: Io): Promise<Result> {
  const home = homeOf(io)
  const { bavail, bsize } = await statfs(home).catch(() => statfs(io.cwd))
  const free = `${((Number(bavail) * Number(bsize)) / 1024 ** 3).toFixed(1)} GiB free`
  return bavail * bsize < LEAST_BYTES ? failed(`${free}: the record needs room`) : ok(free)
}

async function checkGateway(io: Io): Promise<Result> {
  const { url } = await findCredential(io)
  const response = await look(io, `${url}/healthz`)
  return response.ok ? ok(url) : failed(`${url} answers ${response.status}`)
}

async function checkDatabase(io: Io): Promise<Result> {
  const { url } = await findCredential(io)
  const response = await look(io, `${url}/readyz`)
  const { checks = {} } = (await response.json()) as { readonly checks?: Readonly<Record<string, string>> }
  const database = checks['database'] ?? 'unknown'
  return database === 'ok' ? ok('answers') : failed(database)
}

async function checkCredential(io: Io): Promise<Result> {
  const { user } = (await (await connect(io)).get('/whoami')) as { readonly user: { readonly email: string } }
  return ok(user.email)
}

/** Tokens and records carry times: two clocks that differ make both hard to believe. */
async function checkClock(io: Io): Promise<Result> {
  const { url } = await findCredential(io)
  const sent = (await look(io, `${url}/healthz`)).headers.get('date')
  const drift = Math.abs(Date.now() - Date.parse(sent ?? ''))
  if (Number.isNaN(drift)) return warning('the gateway tells no time')
  const seconds = `${Math.round(drift / 1000)} s apart from the gateway`
  return drift > MOST_DRIFT_MS ? failed(seconds) : ok(seconds)
}

async function look(io: Io, url: string): Promise<Response> {
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(5_000)])
  return fetch(url, { signal, redirect: 'error' }).catch(() => {
    throw new Error(`nothing answers at ${url}: start the gateway with gatehouse start`)
  })
}
