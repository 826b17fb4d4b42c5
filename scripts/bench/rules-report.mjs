import { median, spread } from './statistics.mjs'

/** What is to be reached: microseconds of processor time that the rules of one leg add. */
const BARS = [
  { front: 'regex x5', kib: 2, shape: 'text', key: 'cpuUs', most: 40 },
  { front: 'regex x5', kib: 2, shape: 'rows', key: 'cpuUs', most: 40 },
  { front: 'pii, patterns and checksums', kib: 2, shape: 'text', key: 'cpuUs', most: 1_000 },
  { front: 'pii, patterns and checksums', kib: 2, shape: 'rows', key: 'cpuUs', most: 1_000 },
  { front: 'pii, names too', kib: 2, shape: 'text', key: 'us', most: 30_000 },
  { front: 'pii, names too', kib: 2, shape: 'text', key: 'mainUs', most: 200 },
]
const KEYS = { cpuUs: 'of CPU', us: 'of the clock', mainUs: 'of the main thread' }

function summary({ samples }) {
  const places = new Map(samples.map((sample) => [`${sample.shape} ${sample.front} ${sample.kib}`, sample]))
  return [...places.values()].map(({ front, kib, shape }) => {
    const own = samples.filter((one) => one.front === front && one.kib === kib && one.shape === shape)
    const of = (key) => median(own.map((sample) => sample[key]))
    const toJson = median(own.map(({ cpuUs, jsonUs }) => cpuUs / jsonUs))
    const spreadOf = spread(own.map(({ cpuUs }) => cpuUs))
    return { front, kib, shape, us: of('us'), cpuUs: of('cpuUs'), mainUs: of('mainUs'), toJson, spread: spreadOf }
  })
}

const judge = (rows) =>
  BARS.flatMap(({ front, kib, shape, key, most }) => {
    const row = rows.find((one) => one.front === front && one.kib === kib && one.shape === shape)
    return row === undefined ? [] : [{ front, kib, shape, key, most, value: row[key], pass: row[key] <= most }]
  })

export function asJson(results) {
  const rows = summary(results)
  return `${JSON.stringify({ ...results, summary: rows, bars: judge(rows) }, null, 2)}\n`
}

export function asText(results) {
  const { machine, options, at } = results
  const rows = summary(results)
  const head = [
    'front'.padEnd(28),
    'KiB'.padStart(4),
    'shape',
    'us of CPU'.padStart(10),
    '  spread',
    'us clock'.padStart(10),
  ]
  const lines = rows.map(({ front, kib, shape, cpuUs, us, mainUs, toJson, spread: s }) =>
    [
      front.padEnd(28),
      String(kib).padStart(4),
      shape.padEnd(5),
      cpuUs.toFixed(1).padStart(10),
      `+-${(s * 100).toFixed(0)} %`.padStart(8),
      us.toFixed(1).padStart(10),
      mainUs.toFixed(1).padStart(9),
      `${toJson.toFixed(2)}x`.padStart(9),
    ].join('  '),
  )
  const bars = judge(rows).map(
    ({ front, kib, shape, key, most, value, pass }) =>
      `  ${pass ? 'reached    ' : 'NOT REACHED'} ${front}, ${kib} KiB, ${shape}: ${value.toFixed(1)} us ${KEYS[key]}, at most ${most}`,
  )
  const parts = [
    `What the rules of one leg take, ${at}; ${machine.cores} cores (${machine.model}), Node ${machine.node}, ` +
      `load ${machine.load.toFixed(1)} before it began, ${options.rounds} rounds of ${options.ms} ms each`,
    [[...head, ' us main', ' to JSON'].join('  '), ...lines].join('\n'),
    ['Bars', ...bars].join('\n'),
    '"To JSON": beside what it takes to read the message from JSON and write it again, in the same round.',
  ]
  return `${parts.join('\n\n')}\n`
}
