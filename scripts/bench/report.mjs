import { bars } from './bars.mjs'
import { LOADS } from './loads.mjs'
import { TITLES } from './options.mjs'
import { compare, median, spread, valuesOf } from './statistics.mjs'

const YARDSTICK = 'pass-through'
const COLUMNS = [
  { key: 'perSecond', title: 'requests/s', digits: 0 },
  { key: 'p50', title: 'p50 ms', digits: 2 },
  { key: 'p99', title: 'p99 ms', digits: 2 },
  { key: 'cpu', title: 'CPU µs/call', digits: 0 },
  { key: 'postgresCpu', title: 'PostgreSQL µs', digits: 0, alone: true },
  { key: 'memory', title: 'RSS MiB', digits: 0 },
]

/** For every load, front and measure: the median over the rounds, its least and greatest, the ratio to the pass-through. */
export function asJson({ samples, ...rest }) {
  const cells = LOADS.flatMap((load) =>
    rest.options.fronts.map((front) => ({
      ...load,
      front,
      ...Object.fromEntries(COLUMNS.map(cellOf(samples, load, front))),
    })),
  )
  return `${JSON.stringify({ ...rest, cells, bars: bars({ samples, ...rest }), samples }, null, 2)}\n`
}

function cellOf(samples, load, front) {
  return ({ key }) => {
    const values = valuesOf(samples, { ...load, front }, key)
    const ratio = key === 'postgresCpu' ? null : compare(samples, load, [front, YARDSTICK], key)
    return [key, { median: median(values), least: Math.min(...values), most: Math.max(...values), ratio }]
  }
}

export function asText(results) {
  const { samples, options, machine } = results
  const parts = [
    `Gatehouse benchmark, ${results.at}; ${machine.cores} cores (${machine.model}), Node ${machine.node}, ` +
      `load ${machine.load.toFixed(1)} before it began, ${options.rounds} rounds of ${options.ms / 1000} s, seed ${options.seed}`,
    'Medians over the rounds, ± half the distance between least and greatest, and the ratio to the byte pass-through.',
    'CPU is that of the whole process tree of the front until the record is in the database; PostgreSQL stands beside it.',
    ...LOADS.map((load) => table(samples, options.fronts, load)),
    barLines(results),
  ]
  return `${parts.join('\n\n')}\n`
}

function table(samples, fronts, load) {
  const header = ['', ...COLUMNS.map(({ title }) => title)]
  const rows = fronts.map((front) => [
    TITLES[front],
    ...COLUMNS.map((column) => cellText(samples, load, front, column)),
  ])
  const widths = header.map((_, n) => Math.max(...[header, ...rows].map((row) => row[n].length)))
  const line = (row) => row.map((text, n) => (n === 0 ? text.padEnd(widths[n]) : text.padStart(widths[n]))).join('  ')
  return [`${load.bytes} bytes, ${load.inFlight} in flight`, line(header), ...rows.map(line)].join('\n')
}

function cellText(samples, load, front, { key, digits, alone }) {
  const values = valuesOf(samples, { ...load, front }, key)
  if (values.length === 0) return '-'
  const text = `${median(values).toFixed(digits)} ±${(spread(values) * 100).toFixed(0)}%`
  const ratio = alone ? null : compare(samples, load, [front, YARDSTICK], key)
  return ratio === null ? text : `${text} ${ratio.toFixed(2)}x`
}

function barLines(results) {
  const lines = bars(results).map(({ name, value, limit, pass }) => {
    const verdict = value === null ? 'not measured' : pass ? 'pass' : 'NOT REACHED'
    return `${verdict.padEnd(12)}  ${name}: ${value === null ? '-' : format(value)} (${limit})`
  })
  return ['Bars', ...lines].join('\n')
}

const format = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(2))
