import { bars } from './bars.mjs'
import { GROUPS, isFor, loadsOf, nameOf } from './loads.mjs'
import { TITLES } from './options.mjs'
import { median, ratioOf, spread, valuesOf } from './statistics.mjs'

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
  const cells = loadsOf(rest.options.loads).flatMap((load) =>
    frontsAt(load, rest.options).map((front) => ({
      ...load,
      front,
      ...Object.fromEntries(COLUMNS.map(cellOf(samples, load, front))),
    })),
  )
  const facts = { cells, bars: bars({ samples, ...rest }), crossed: crossed(samples) }
  return `${JSON.stringify({ ...rest, ...facts, samples }, null, 2)}\n`
}

/** Only a front that speaks both eras can do a crossed pair. */
function frontsAt(load, { fronts }) {
  if (load.group !== 'eras') return fronts.filter((front) => isFor(front, load))
  const able = load.client === load.server ? ['direct', YARDSTICK, 'gatehouse'] : ['gatehouse']
  return fronts.filter((front) => able.includes(front))
}

/** The pass-through at the same load; at a crossed pair, that of the client's own era. */
function ratioToYardstick(samples, place, key) {
  const other = { ...place, front: YARDSTICK, server: place.client }
  return ratioOf(valuesOf(samples, place, key), valuesOf(samples, other, key))
}

function cellOf(samples, load, front) {
  return ({ key }) => {
    const values = valuesOf(samples, { ...load, front }, key)
    const ratio = key === 'postgresCpu' ? null : ratioToYardstick(samples, { ...load, front }, key)
    return [key, { median: median(values), least: Math.min(...values), most: Math.max(...values), ratio }]
  }
}

/** What translation costs: a server of the other era against one of the client's own. */
function crossed(samples) {
  return GROUPS.eras
    .filter(({ client, server }) => client !== server)
    .map((load) => {
      const cpu = (server) => valuesOf(samples, { ...load, server, front: 'gatehouse' }, 'cpu')
      return { client: load.client, server: load.server, ratio: ratioOf(cpu(load.server), cpu(load.client)) }
    })
}

export function asText(results) {
  const { samples, options, machine } = results
  const parts = [
    `Gatehouse benchmark, ${results.at}; ${machine.cores} cores (${machine.model}), Node ${machine.node}, ` +
      `load ${machine.load.toFixed(1)} before it began, ${options.rounds} rounds of ${options.ms / 1000} s, seed ${options.seed}`,
    'Medians over the rounds, ± half the distance between least and greatest, and the ratio to the byte pass-through.',
    'CPU is that of the whole process tree of the front until the record is in the database; PostgreSQL stands beside it.',
    ...options.loads.flatMap((group) => [...(SAID[group] ?? []), ...tablesOf(samples, options, group)]),
    barLines(results),
    ...(options.loads.includes('eras') ? [crossedLines(samples)] : []),
  ]
  return `${parts.join('\n\n')}\n`
}

/** What has to be known of a group of loads to read its tables. */
const SAID = {
  streams: [
    'Event streams. Not measured: the fronts of the SDK and of mcp-proxy, which answer in plain JSON and drop notes.',
  ],
  eras: [
    'Eras: one Gatehouse with a server of each. A pass-through can only do straight pairs, so a crossed pair is compared with\n' +
      'that of its client. Not measured: the fronts of the SDK and of mcp-proxy, which are set up for the legacy era alone.',
  ],
}

function tablesOf(samples, options, group) {
  if (group === 'eras') {
    const rows = GROUPS.eras.flatMap((load) =>
      frontsAt(load, options).map((front) => [`${load.client} to ${load.server}: ${TITLES[front]}`, load, front]),
    )
    return [table(samples, 'client to server, 64 bytes, 16 in flight', rows)]
  }
  return GROUPS[group].map((load) =>
    table(
      samples,
      nameOf(load),
      frontsAt(load, options).map((front) => [TITLES[front], load, front]),
    ),
  )
}

function table(samples, title, places) {
  const header = ['', ...COLUMNS.map(({ title }) => title)]
  const rows = places.map(([label, load, front]) => [
    label,
    ...COLUMNS.map((column) => cellText(samples, { ...load, front }, column)),
  ])
  const widths = header.map((_, n) => Math.max(...[header, ...rows].map((row) => row[n].length)))
  const line = (row) => row.map((text, n) => (n === 0 ? text.padEnd(widths[n]) : text.padStart(widths[n]))).join('  ')
  return [title, line(header), ...rows.map(line)].join('\n')
}

function cellText(samples, place, { key, digits, alone }) {
  const values = valuesOf(samples, place, key)
  if (values.length === 0) return '-'
  const text = `${median(values).toFixed(digits)} ±${(spread(values) * 100).toFixed(0)}%`
  const ratio = alone ? null : ratioToYardstick(samples, place, key)
  return ratio === null ? text : `${text} ${ratio.toFixed(2)}x`
}

function crossedLines(samples) {
  const lines = crossed(samples).map(
    ({ client, server, ratio }) =>
      `crossed pair to straight pair CPU ratio, ${client} client, ${server} server: ${ratio === null ? '-' : format(ratio)}`,
  )
  return ['No bars', ...lines].join('\n')
}

function barLines(results) {
  const lines = bars(results).map(({ name, value, limit, pass }) => {
    const verdict = value === null ? 'not measured' : pass ? 'pass' : 'NOT REACHED'
    return `${verdict.padEnd(12)}  ${name}: ${value === null ? '-' : format(value)} (${limit})`
  })
  return ['Bars', ...lines].join('\n')
}

const format = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(2))
