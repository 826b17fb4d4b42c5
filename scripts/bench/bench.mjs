import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { openEras } from './eras.mjs'
import { startScript, STARTS } from './fronts.mjs'
import { startGatehouse } from './gatehouse.mjs'
import { isFor, loadsOf, nameOf, startLoad } from './loads.mjs'
import { machine, opened, openPlace, say } from './opened.mjs'
import { cpuOf, memoryOf } from './usage.mjs'

const MANY = 50
const WARM_UP_MS = 700
/** So long may the record of a burst take to come into the database before it counts as missing. */
const PATIENCE_MS = 30_000

/** One run: all fronts are up at once and visited in turn. */
export function bench(options) {
  return opened(async (closing) => {
    const on = machine()
    const run = await prepare(options, closing)
    const samples = await rounds(run)
    const record = await compareRecords(run)
    const hasMany = options.fronts.includes('gatehouse') && options.loads.includes('calls')
    const many = hasMany ? await manyServers(run) : null
    const missing = record.reduce((sum, { missing }) => sum + missing, 0) + (many?.missing ?? 0)
    return { at: new Date().toISOString(), machine: on, options, samples, record, many, missing }
  })
}

async function prepare(options, closing) {
  say('starting the upstream, PostgreSQL and the fronts')
  const { home, postgres } = await openPlace(closing)
  const upstream = await startScript('echo', null)
  closing.push(upstream.stop)
  const load = startLoad()
  closing.push(load.stop)
  const rules = parse(await readFile(new URL('five-rules.yaml', import.meta.url), 'utf8'))
  const loads = loadsOf(options.loads)
  const run = { options, closing, postgres, upstream, load, place: { home, postgres }, rules, loads, fronts: [] }
  for (const name of options.fronts.filter((front) => loads.some((one) => isFor(front, one))))
    run.fronts.push(await openFront(name, await STARTS[name](run), run))
  run.eras = options.loads.includes('eras') ? await openEras(run) : { seats: [], fronts: [] }
  return run
}

/** Who is visited at a load. */
function seatsAt({ fronts, eras }, load) {
  if (load.group === 'eras')
    return eras.seats.filter(({ client, server }) => client === load.client && server === load.server)
  return fronts.filter(({ name }) => isFor(name, load)).map(seatOf)
}

const seatOf = (of) => ({ front: of.name, target: of.name, tool: of.tools[0], of })

/** Adds what is counted over the run: the calls that were answered. */
async function openFront(name, front, { load, closing }) {
  closing.push(front.stop)
  const { port, path, headers } = front
  const { tools } = await load.ask('open', { name, port, path, headers })
  return { ...front, name, tools, answered: 0 }
}

async function rounds(run) {
  const { options, loads } = run
  const random = randomOf(options.seed)
  say('warming up')
  for (const load of loads.filter(({ inFlight }) => inFlight > 1))
    for (const seat of seatsAt(run, load)) await visit(run, seat, { ...load, ms: Math.min(WARM_UP_MS, options.ms) })
  const samples = []
  for (let round = 1; round <= options.rounds; round += 1)
    for (const load of loads) {
      say(`round ${round} of ${options.rounds}: ${nameOf(load)}`)
      for (const seat of shuffled(seatsAt(run, load), random))
        samples.push({ round, ...(await visit(run, seat, { ...load, ms: options.ms })) })
    }
  return samples
}

/** One burst, and what it cost: the CPU is read when the last of its calls is in the database. */
async function visit({ load, postgres }, { front, target, tool, of }, { ms, ...asked }) {
  const { pid, record } = of
  const account = () => ({
    front: pid === null ? NaN : cpuOf(pid),
    postgres: record === undefined ? NaN : cpuOf(postgres.pid, { except: record.backend }),
  })
  const mark = await record?.mark()
  const before = account()
  const { calls, ...measured } = await load.ask('burst', { ...asked, name: target, tool, ms })
  of.answered += calls
  await record?.settled(mark, calls, PATIENCE_MS)
  const after = account()
  return {
    front,
    ...asked,
    calls,
    ...measured,
    cpu: (after.front - before.front) / calls,
    postgresCpu: (after.postgres - before.postgres) / calls,
    memory: pid === null ? NaN : memoryOf(pid),
  }
}

/** Every call that was answered stands in the record, once, as answered well. */
async function compareRecords({ fronts, eras }) {
  const kept = [...fronts, ...eras.fronts].filter(({ record }) => record !== undefined)
  return Promise.all(
    kept.map(async ({ name, answered, record }) => {
      const { calls, good, ids } = await record.total()
      return {
        front: name,
        answered,
        recorded: calls,
        missing: answered - Math.min(good, ids),
        surplus: calls - answered,
      }
    }),
  )
}

/** Memory of one Gatehouse with many servers behind one gateway, after a list and a few calls. */
async function manyServers(run) {
  say(`starting Gatehouse with ${MANY} servers`)
  const { upstream, closing, place } = run
  const upstreams = Array.from({ length: MANY }, (_, n) => ({ ...upstream, path: `/mcp/${n + 1}` }))
  const started = await startGatehouse({ name: 'many', upstreams, rules: [], ...place })
  const front = await openFront('many', started, { ...run, closing })
  for (const tool of front.tools.slice(0, 5))
    await visit(run, { ...seatOf(front), tool }, { bytes: 64, inFlight: 4, ms: 200 })
  const [record] = await compareRecords({ fronts: [front], eras: { fronts: [] } })
  return { servers: MANY, tools: front.tools.length, memory: memoryOf(front.pid), missing: record.missing }
}

/** Mulberry32: the same order for the same seed. */
function randomOf(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

function shuffled(items, random) {
  return items
    .map((item) => ({ item, key: random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item)
}
