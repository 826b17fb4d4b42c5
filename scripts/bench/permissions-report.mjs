import { MODES } from './permissions.mjs'
import { median } from './statistics.mjs'

/** The growth from the smallest house to another one: the median of the rounds' own ratios, with the interval it lies in. */
export function growth(rounds, { from, to, mode, key }) {
  const of = (users) => rounds.filter((sample) => sample.users === users).map((sample) => sample[mode][key])
  const [small, large] = [of(from), of(to)]
  const ratios = large.map((value, n) => value / small[n]).toSorted((a, b) => a - b)
  const [low, high] = interval(ratios)
  return { ratio: median(ratios), low, high, grows: low > 1 }
}

/**
 * The interval that holds the true median in 19 of 20 runs, whatever the distribution: from the k-th least to the k-th greatest.
 * With fewer than six rounds no interval does, and it is the whole range.
 */
export function interval(sorted) {
  const n = sorted.length
  let [k, below, term] = [0, 0, 0.5 ** n]
  while (below + term <= 0.025) {
    below += term
    term *= (n - k) / (k + 1)
    k += 1
  }
  const at = Math.max(0, k - 1)
  return [sorted[at], sorted[n - 1 - at]]
}

function summary({ rounds, sizes }) {
  return Object.keys(MODES).flatMap((mode) =>
    sizes.map((users) => {
      const own = rounds.filter((sample) => sample.users === users)
      const of = (key) => median(own.map((sample) => sample[mode][key]))
      const compared = { from: sizes[0], to: users, mode }
      return {
        mode,
        users,
        us: of('us'),
        cpuUs: of('cpuUs'),
        growth: growth(rounds, { ...compared, key: 'us' }),
        cpuGrowth: growth(rounds, { ...compared, key: 'cpuUs' }),
      }
    }),
  )
}

export const asJson = (results) => `${JSON.stringify({ ...results, summary: summary(results) }, null, 2)}\n`

export function asText(results) {
  const { machine, options, servers, gateways, teams, sizes, heaps, rounds } = results
  const rows = summary(results)
  const lines = rows.map(({ mode, users, us, cpuUs, growth: g, cpuGrowth: c }) =>
    [
      mode.padEnd(11),
      String(users).padStart(6),
      us.toFixed(1).padStart(9),
      cpuUs.toFixed(1).padStart(9),
      shown(g),
      shown(c),
    ].join('  '),
  )
  const largest = sizes.at(-1)
  const judged = ({ grows }) => (grows ? 'grows' : 'does not grow beyond its interval')
  const bars = rows
    .filter(({ users }) => users === largest)
    .map(({ mode, growth: g, cpuGrowth: c }) => `  ${mode}: time ${judged(g)}, CPU ${judged(c)}`)
  const rebuilds = heaps.map(({ users, heapMiB }) => {
    const ms = median(rounds.filter((sample) => sample.users === users).map(({ rebuildMs }) => rebuildMs))
    return `  ${users} people: ${ms.toFixed(0)} ms, ${heapMiB.toFixed(0)} MiB of heap in all`
  })
  const parts = [
    `Authenticate and permit, ${results.at}; ${machine.cores} cores (${machine.model}), Node ${machine.node}, ` +
      `load ${machine.load.toFixed(1)} before it began, ${options.rounds} rounds; ` +
      `${servers} servers, ${gateways} gateways, ${teams} teams, ${teams} gateways in use`,
    ['mode         people  us/decis.  us of CPU  growth [19 of 20]     growth of CPU', ...lines].join('\n'),
    [`From ${sizes[0]} to ${largest} people`, ...bars].join('\n'),
    ['One change of the configuration, read and swapped in', ...rebuilds].join('\n'),
  ]
  return `${parts.join('\n\n')}\n`
}

const shown = ({ ratio, low, high }) => `${ratio.toFixed(2)}x [${low.toFixed(2)}, ${high.toFixed(2)}]`.padEnd(20)
