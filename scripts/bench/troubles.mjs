import { setTimeout as wait } from 'node:timers/promises'
import { startScript } from './fronts.mjs'
import { startGatehouse } from './gatehouse.mjs'
import { startLoad } from './loads.mjs'
import { machine, opened, openPlace, say } from './opened.mjs'
import { quantile } from './statistics.mjs'
import { startTroubled, TROUBLES } from './troubled.mjs'

const SERVERS = 20
const PER_SECOND = 10
/** The troubled server is the one that most is asked of. */
const ITS_PER_SECOND = 50
const WARM_UP_MS = 2_000
const RECOVERY_MS = 60_000
const PATIENCE_MS = 30_000
/** A server that hangs is given up after a second, so that its circuit opens within a burst. */
const SETTINGS = { limits: { call: '1s' } }

/**
 * Pairs of bursts, undisturbed and disturbed, a moment apart and in alternating order: every server is called at the same pace
 * in both, and in the disturbed one the last server is in trouble from its beginning.
 */
export function bench(options) {
  return opened(async (closing) => {
    const on = machine()
    const run = await prepare(closing)
    say('warming up')
    await burst(run, WARM_UP_MS)
    const rounds = []
    for (let round = 1; round <= options.rounds; round += 1)
      for (const trouble of TROUBLES) {
        say(`round ${round} of ${options.rounds}: ${trouble}`)
        rounds.push({ round, trouble, ...(await pair(run, trouble, { ms: options.ms, wellFirst: round % 2 === 1 })) })
      }
    await run.front.record.settled(0, run.calls, PATIENCE_MS)
    const { calls } = await run.front.record.total()
    const alerts = await run.front.record.alerts()
    const facts = {
      servers: SERVERS,
      perSecond: PER_SECOND,
      itsPerSecond: ITS_PER_SECOND,
      alerts,
      calls: run.calls,
      missing: run.calls - calls,
    }
    return { at: new Date().toISOString(), machine: on, options, ...facts, rounds }
  })
}

async function prepare(closing) {
  say(`starting ${SERVERS} servers, PostgreSQL and Gatehouse`)
  const { home, postgres } = await openPlace(closing)
  const well = await startScript('echo', null)
  closing.push(well.stop)
  const troubled = await startTroubled()
  closing.push(troubled.stop)
  const upstreams = Array.from({ length: SERVERS - 1 }, (_, n) => ({ ...well, path: `/mcp/${n + 1}` }))
  const started = await startGatehouse({
    name: 'troubles',
    upstreams: [...upstreams, troubled],
    rules: [],
    settings: SETTINGS,
    home,
    postgres,
  })
  closing.push(started.stop)
  const load = startLoad()
  closing.push(load.stop)
  const { port, path, headers } = started
  const { tools } = await load.ask('open', { name: 'troubles', port, path, headers })
  if (tools.length !== SERVERS) throw new Error(`${tools.length} of ${SERVERS} servers are listed`)
  return { front: started, load, troubled, tools, calls: 0 }
}

async function pair(run, trouble, { ms, wellFirst }) {
  const before = wellFirst ? await burst(run, ms) : null
  await run.troubled.befall(trouble)
  const disturbed = await burst(run, ms)
  await run.troubled.heal(trouble)
  const backMs = await recovery(run)
  const undisturbed = before ?? (await burst(run, ms))
  return { undisturbed, disturbed, backMs }
}

/** Latency of the calls to all but the last server, milliseconds, and what became of all of them. */
async function burst(run, ms) {
  const perSecond = run.tools.map((_, n) => (n === SERVERS - 1 ? ITS_PER_SECOND : PER_SECOND))
  const given = { name: 'troubles', tools: run.tools, perSecond, ms }
  const { outcomes, unanswered } = await run.load.ask('paced', given)
  if (unanswered > 0) throw new Error(`${unanswered} calls were never answered`)
  run.calls += outcomes.flat().length
  const others = outcomes.slice(0, -1).flat()
  const times = Float64Array.from(others, (outcome) => outcome.ms).toSorted()
  return {
    p50: quantile(times, 0.5),
    p95: quantile(times, 0.95),
    p99: quantile(times, 0.99),
    others: countOf(others),
    own: countOf(outcomes.at(-1)),
  }
}

function countOf(outcomes) {
  const counts = {}
  for (const { said } of outcomes) counts[said] = (counts[said] ?? 0) + 1
  return counts
}

/** Calls the healed server until it answers; how long that took, milliseconds. */
async function recovery(run) {
  const start = performance.now()
  const given = { name: 'troubles', tools: run.tools.slice(-1), perSecond: [20], ms: 50 }
  while (performance.now() - start < RECOVERY_MS) {
    const { outcomes } = await run.load.ask('paced', given)
    run.calls += outcomes.flat().length
    if (outcomes.flat().some(({ said }) => said === 'ok')) return performance.now() - start
    await wait(50)
  }
  throw new Error(`the healed server is not called again within ${RECOVERY_MS / 1000} s`)
}
