import { median } from './statistics.mjs'
import { TROUBLES } from './troubled.mjs'

const FACTOR = 1.2
const ALLOWANCE_MS = 20

/** For every trouble, the medians over its rounds; `over` is by how much the bar is missed, below zero when it is kept. */
function summary(rounds) {
  return TROUBLES.map((trouble) => {
    const own = rounds.filter((round) => round.trouble === trouble)
    const p95 = (which) => own.map((round) => round[which].p95)
    const [well, ill] = [p95('undisturbed'), p95('disturbed')]
    const over = median(ill.map((ms, n) => ms - (FACTOR * well[n] + ALLOWANCE_MS)))
    return {
      trouble,
      undisturbed: median(well),
      disturbed: median(ill),
      ratio: median(ill.map((ms, n) => ms / well[n])),
      over,
      pass: over <= 0,
      backMs: median(own.map(({ backMs }) => backMs)),
      others: added(own.map(({ disturbed }) => disturbed.others)),
      own: added(own.map(({ disturbed }) => disturbed.own)),
    }
  })
}

function added(counts) {
  const sum = {}
  for (const [said, count] of counts.flatMap(Object.entries)) sum[said] = (sum[said] ?? 0) + count
  return sum
}

export const asJson = (results) => `${JSON.stringify({ ...results, troubles: summary(results.rounds) }, null, 2)}\n`

export function asText(results) {
  const { machine, options, servers, perSecond, itsPerSecond, alerts, calls, missing } = results
  const troubles = summary(results.rounds)
  const header = ['', 'undisturbed p95 ms', 'disturbed p95 ms', 'ratio', 'others failed', 'back after s']
  const rows = troubles.map(({ trouble, undisturbed, disturbed, ratio, others, backMs }) => [
    trouble,
    undisturbed.toFixed(2),
    disturbed.toFixed(2),
    `${ratio.toFixed(2)}x`,
    failedIn(others),
    (backMs / 1000).toFixed(1),
  ])
  const parts = [
    `Gatehouse with one of ${servers} servers in trouble, ${results.at}; ${machine.cores} cores (${machine.model}), ` +
      `Node ${machine.node}, load ${machine.load.toFixed(1)} before it began, ${options.rounds} rounds of ${options.ms / 1000} s, ` +
      `${perSecond} calls a second to each server, ${itsPerSecond} to the troubled one`,
    'p95 of the calls to the other servers: medians over the rounds; the ratio is the median of the ratios within each round.',
    table(header, rows),
    [
      'What callers of the troubled server got (*: the gateway refused without asking it)',
      ...troubles.map(ownLine),
    ].join('\n'),
    ['Bars', ...troubles.map(barLine)].join('\n'),
    `Alerts: ${listOf(alerts)}, in ${options.rounds} rounds of each. ${missing} of ${calls} calls are missing in the record.`,
  ]
  return `${parts.join('\n\n')}\n`
}

const failedIn = ({ ok = 0, ...rest }) => {
  const failed = Object.values(rest).reduce((sum, count) => sum + count, 0)
  return `${failed} of ${ok + failed}`
}

const listOf = (counts) =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ')

const ownLine = ({ trouble, own }) => `${trouble.padEnd(12)}  ${listOf(own)}`

const barLine = ({ trouble, over, pass }) =>
  `${(pass ? 'pass' : 'NOT REACHED').padEnd(12)}  ${trouble}: p95 of the others at most ${FACTOR} times that of the undisturbed ` +
  `burst and ${ALLOWANCE_MS} ms: ${Math.abs(over).toFixed(1)} ms ${pass ? 'below' : 'above'}`

function table(header, rows) {
  const widths = header.map((_, n) => Math.max(...[header, ...rows].map((row) => row[n].length)))
  const line = (row) => row.map((text, n) => (n === 0 ? text.padEnd(widths[n]) : text.padStart(widths[n]))).join('  ')
  return [line(header), ...rows.map(line)].join('\n')
}
