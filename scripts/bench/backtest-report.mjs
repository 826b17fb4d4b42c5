import { median, ratioOf, spread } from './statistics.mjs'

/** A backtest that costs live calls more than this has not stepped back far enough. */
const BAR = 1.25
const KEYS = ['p50', 'p99']

function summary(rounds) {
  const values = (which, key) => rounds.map((round) => round[which][key])
  return KEYS.map((key) => ({
    key,
    alone: median(values('alone', key)),
    beside: median(values('beside', key)),
    spread: spread(values('beside', key)),
    ratio: ratioOf(values('beside', key), values('alone', key)),
  }))
}

export const asJson = (results) => `${JSON.stringify({ ...results, summary: summary(results.rounds) }, null, 2)}\n`

export function asText(results) {
  const { machine, options, perSecond, stored, body, rules, calls, missing, rounds } = results
  const figures = summary(rounds)
  const ratio = figures.find(({ key }) => key === 'p99').ratio
  const parts = [
    `Gatehouse while a backtest runs, ${results.at}; ${machine.cores} cores (${machine.model}), Node ${machine.node}, ` +
      `load ${machine.load.toFixed(1)} before it began, ${options.rounds} rounds of ${options.ms / 1000} s, ${perSecond} calls a second; ` +
      `${rules} rules over ${stored} stored messages of ${body} bytes`,
    'Medians over the rounds; the ratio is the median of the ratios within each round.',
    ...figures.map(
      ({ key, alone, beside, spread: part, ratio: of }) =>
        `${key}  alone ${alone.toFixed(2)} ms  beside ${beside.toFixed(2)} ms (±${Math.round(part * 100)} %)  ratio ${of.toFixed(2)}x`,
    ),
    `The backtest read ${Math.round(median(rounds.map(({ readPerSecond }) => readPerSecond)))} messages a second.`,
    `${ratio <= BAR ? 'pass' : 'NOT REACHED'}  p99 of live calls at most ${BAR} times that without a backtest: ${ratio.toFixed(2)}x`,
    `${missing} of ${calls} calls are missing in the record.`,
  ]
  return `${parts.join('\n')}\n`
}
