import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { startScript } from './fronts.mjs'
import { startGatehouse } from './gatehouse.mjs'
import { startLoad } from './loads.mjs'
import { machine, opened, openPlace, say } from './opened.mjs'
import { quantile } from './statistics.mjs'

const NAME = 'backtest'
const PER_SECOND = 200
const BODY = 2048
const STORED = 50_000
const WARM_UP_MS = 3_000
const PATIENCE_MS = 60_000
const rulesFile = fileURLToPath(new URL('five-rules.yaml', import.meta.url))

/**
 * Pairs of bursts at one pace, in alternating order: one alone, and one while five rules are run over a record of stored
 * messages, which is begun anew for each pair and reads throughout.
 */
export function bench(options) {
  return opened(async (closing) => {
    const on = machine()
    const run = await prepare(closing)
    say('warming up')
    await burst(run, WARM_UP_MS)
    const rounds = []
    for (let round = 1; round <= options.rounds; round += 1) {
      say(`round ${round} of ${options.rounds}`)
      rounds.push({ round, ...(await pair(run, { ms: options.ms, aloneFirst: round % 2 === 1 })) })
    }
    await run.front.record.settled(run.mark, run.calls, PATIENCE_MS)
    const { calls } = await run.front.record.total()
    const facts = { perSecond: PER_SECOND, stored: STORED, body: BODY, rules: run.rules.length, calls: run.calls }
    return { at: new Date().toISOString(), machine: on, options, ...facts, missing: run.calls + STORED - calls, rounds }
  })
}

async function prepare(closing) {
  say(`starting a server, PostgreSQL and Gatehouse, with ${STORED} stored messages`)
  const { home, postgres } = await openPlace(closing)
  const upstream = await startScript('echo', null)
  closing.push(upstream.stop)
  const front = await startGatehouse({ name: NAME, upstreams: [upstream], rules: [], home, postgres })
  closing.push(front.stop)
  const mark = await front.record.fill(STORED, BODY)
  const load = startLoad()
  closing.push(load.stop)
  const { port, path, headers } = front
  const { tools } = await load.ask('open', { name: NAME, port, path, headers })
  const { url, token } = JSON.parse(await readFile(join(home, NAME, 'cli.json'), 'utf8'))
  const rules = parse(await readFile(rulesFile, 'utf8'))
  return { front, load, tools: tools.slice(0, 1), api: apiOf(url, token), rules, mark, calls: 0 }
}

async function pair(run, { ms, aloneFirst }) {
  const before = aloneFirst ? await burst(run, ms) : null
  const id = await begin(run)
  const from = await readBy(run, id)
  const beside = await burst(run, ms)
  const until = await readBy(run, id)
  if (until.state !== 'running') throw new Error(`the backtest ended within the burst: ${until.state} ${until.reason}`)
  await end(run, id)
  const alone = before ?? (await burst(run, ms))
  return { alone, beside, readPerSecond: ((until.read - from.read) * 1000) / (until.at - from.at) }
}

const SINCE_MS = 30 * 86_400_000

async function begin({ api, rules }) {
  const since = new Date(Date.now() - SINCE_MS).toISOString()
  const { id } = await api('POST', '/rules/replay', { gateway: 'bench', rules, since })
  const until = performance.now() + PATIENCE_MS
  while (performance.now() < until) {
    const { progress, state, reason } = await api('GET', `/rules/replays/${id}`)
    if (progress.read > 0) return id
    if (state === 'failed') throw new Error(`the backtest failed: ${reason}`)
    await wait(50)
  }
  throw new Error('the backtest did not begin')
}

/** As the database was last told, once a second. */
async function readBy({ api }, id) {
  const { progress, state, reason } = await api('GET', `/rules/replays/${id}`)
  return { at: performance.now(), read: progress.read, state, reason }
}

async function end({ api }, id) {
  await api('DELETE', `/rules/replays/${id}`)
  while ((await api('GET', `/rules/replays/${id}`)).state === 'running') await wait(50)
}

function apiOf(url, token) {
  return async (method, path, body) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text === '' ? null : JSON.parse(text)
  }
}

async function burst(run, ms) {
  const { outcomes, unanswered } = await run.load.ask('paced', {
    name: NAME,
    tools: run.tools,
    perSecond: [PER_SECOND],
    ms,
  })
  if (unanswered > 0) throw new Error(`${unanswered} calls were never answered`)
  const all = outcomes.flat()
  const failed = all.find(({ said }) => said !== 'ok')
  if (failed !== undefined) throw new Error(`a call was answered ${failed.said}`)
  run.calls += all.length
  const times = Float64Array.from(all, (outcome) => outcome.ms).toSorted()
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), calls: times.length }
}
