import { setTimeout as pause } from 'node:timers/promises'
import { closeAll, say } from './closing.mjs'
import { startCrowd } from './crowd.mjs'
import { SESSIONS_PER_PERSON, startHouse } from './house.mjs'
import { connectionsOf, descendantsOf, processesWith } from './proc.mjs'
import { judgeMemory, judgeSockets, verdict } from './verdict.mjs'

const SAMPLES = 45
const SHORTEST_MS = 1_000
const GRACE_MS = 20_000
/** Kept for the next call that may be asked something: eight each of those who may and of those who hear the log. */
const IDLE_LANES = 16

/** One soak: what was measured, and what is to be thought of it. What was opened is closed, however it ends. */
export async function soak(options) {
  const closing = []
  const give = () => void closeAll(closing).finally(() => process.exit(130))
  process.once('SIGINT', give).once('SIGTERM', give)
  try {
    say('starting the servers and the gateway')
    const house = await startHouse(closing)
    const before = socketsOf(house.gateway.pid, house.port, house.upstreams.port).inbound
    const crowd = startCrowd({ ...options, accesses: house.accesses })
    const samples = await watch(house, options.ms)
    say('the clients leave')
    await crowd.leave()
    const verdicts = [
      ...judgeMemory(samples),
      judgeSockets(samples),
      ...(await judgeEnd(house, before)),
      judgeDeeds(crowd),
    ]
    return { at: new Date().toISOString(), options, samples, counts: crowd.counts, failures: crowd.failures, verdicts }
  } finally {
    await closeAll(closing)
    process.off('SIGINT', give).off('SIGTERM', give)
  }
}

async function watch(house, ms) {
  const every = Math.max(SHORTEST_MS, ms / SAMPLES)
  const until = Date.now() + ms
  const samples = []
  while (Date.now() < until) {
    await pause(Math.min(every, Math.max(0, until - Date.now())))
    house.upstreams.change()
    samples.push({ seconds: Math.round((ms - (until - Date.now())) / 1_000), ...(await measure(house)) })
    if (samples.length % 5 === 0) say(lineOf(samples.at(-1)))
  }
  return samples
}

async function measure({ gateway, upstreams, port, probe }) {
  const memory = await probe()
  const counts = await upstreams.count()
  return { ...memory, ...socketsOf(gateway.pid, port, upstreams.port), ...childrenOf(gateway.pid), upstream: counts }
}

/** Connections of clients, and those to servers; the database's are neither. */
function socketsOf(pid, port, upstreamPort) {
  const connections = connectionsOf(pid)
  return {
    inbound: connections.filter(({ local }) => local === port).length,
    outbound: connections.filter(({ remote }) => remote === upstreamPort).length,
  }
}

const childrenOf = (pid) => ({
  children: descendantsOf(pid).filter(({ command }) => command.includes('child.mjs')).length,
})

/** Everybody has gone: first what the gateway keeps, then what is left without its servers, then what outlives it. */
async function judgeEnd(house, before) {
  const { gateway, upstreams, port, stop } = house
  const clients = await settled(() => socketsOf(gateway.pid, port, upstreams.port).inbound, before)
  const most = SESSIONS_PER_PERSON * house.accesses.length + IDLE_LANES + 4
  const kept = await settled(() => socketsOf(gateway.pid, port, upstreams.port).outbound, most)
  say('the servers are taken away')
  await house.forgetServers()
  const sockets = await settled(() => socketsOf(gateway.pid, port, upstreams.port).outbound, 0)
  const children = await settled(() => childrenOf(gateway.pid).children, 0)
  const atServers = await settled(async () => sumOf(await upstreams.count()), 0)
  const { pid } = gateway
  say('the gateway is stopped')
  await stop()
  const orphans = await settled(() => processesWith('soak/child.mjs').length, 0)
  return [
    verdict('connections of clients are closed', clients <= before, `${clients}, and ${before} before they came`),
    verdict('connections to servers are few', kept <= most, `${kept}, at most ${most} for what is kept`),
    verdict('without servers no connection is open', sockets === 0, `${sockets} are left`),
    verdict('without servers no process runs', children === 0, `${children} are left`),
    verdict('servers have no session and no stream left', atServers === 0, `${atServers} are left`),
    verdict('no process outlives the gateway', orphans === 0, `${orphans} are left of ${pid}`),
    verdict(
      'nothing broke within',
      !BROKEN.test(gateway.logs()),
      gateway
        .logs()
        .split('\n')
        .find((line) => BROKEN.test(line)) ?? 'the log is clean',
    ),
  ]
}

const BROKEN = /"level":(?:50|60)|GH_INTERNAL|nobody awaited/
const sumOf = ({ sessions, streams }) => sessions + streams

/** Looks again and again until no more than this is left; what is left at the end of the grace. */
async function settled(look, most) {
  const until = Date.now() + GRACE_MS
  let left = await look()
  while (left > most && Date.now() < until) {
    await pause(100)
    left = await look()
  }
  return left
}

function judgeDeeds({ counts, failures }) {
  const idle = Object.entries(counts).flatMap(([name, count]) => (count === 0 ? [name] : []))
  const said =
    [...idle.map((name) => `nobody did: ${name}`), ...failures.slice(0, 3)].join('; ') || 'all deeds were done'
  return verdict('every deed was done, and answered', idle.length + failures.length === 0, said)
}

const lineOf = ({ seconds, rss, heapUsed, inbound, outbound, children }) =>
  `${seconds} s: ${Math.round(rss / 1e6)} MB resident, ${Math.round(heapUsed / 1e6)} MB heap, ${inbound} + ${outbound} sockets, ${children} children`
