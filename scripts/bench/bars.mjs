import { compare, median, valuesOf } from './statistics.mjs'

const SIZES = { 64: '64 bytes', 2048: '2 KiB' }
const PEERS = ['mcp-proxy', 'sdk']

/** What the gateway is to reach, each with what was measured: printed, never a test, for a busy machine is no defect. */
export function bars({ samples, missing, many, record }) {
  const list = []
  const add = (name, value, limit, holds) => list.push({ name, value, limit, pass: value !== null && holds(value) })
  const most = (name, value, limit) => add(name, value, `at most ${limit}`, (found) => found <= limit)
  const least = (name, value, limit) => add(name, value, `at least ${limit}`, (found) => found >= limit)

  for (const bytes of [64, 2048]) {
    const load = { group: 'calls', bytes, inFlight: 64 }
    const ratio = (pair, key) => compare(samples, load, pair, key)
    const at = `64 in flight, ${SIZES[bytes]}`
    most(`CPU of Gatehouse to byte pass-through, ${at}`, ratio(['gatehouse', 'pass-through'], 'cpu'), 1.6)
    for (const peer of PEERS) {
      least(`CPU of ${peer} to Gatehouse, ${at}`, ratio([peer, 'gatehouse'], 'cpu'), 5)
      least(`requests/s of Gatehouse to ${peer}, ${at}`, ratio(['gatehouse', peer], 'perSecond'), 3)
    }
  }
  const rules = compare(
    samples,
    { group: 'calls', bytes: 2048, inFlight: 64 },
    ['gatehouse-rules', 'pass-through'],
    'cpu',
  )
  most('CPU of Gatehouse with five rules to byte pass-through, 64 in flight, 2 KiB', rules, 3)
  for (const bytes of [64, 2048])
    most(
      `added p50 of Gatehouse to that of the byte pass-through, 1 in flight, ${SIZES[bytes]}`,
      added(samples, bytes),
      1.5,
    )
  const kept = record.length === 0 ? null : missing
  most('calls that the record misses', kept, 0)
  const memory = many === null ? null : many.memory * 1.048576
  add(`RSS in MB with ${many?.servers ?? 50} servers`, memory, 'below 200', (found) => found < 200)
  return list
}

/** What a front adds to the median of a direct call, against what the pass-through adds; round by round. */
function added(samples, bytes) {
  const of = (front) => valuesOf(samples, { group: 'calls', bytes, inFlight: 1, front }, 'p50')
  const [ours, yardstick, direct] = [of('gatehouse'), of('pass-through'), of('direct')]
  return median(ours.map((value, n) => (value - direct[n]) / (yardstick[n] - direct[n])))
}
