import { median, quantile, ratioOf, spread } from './statistics.mjs'

function summary({ samples }) {
  const places = new Map(samples.map((one) => [`${one.kib} ${one.count} ${one.front}`, one]))
  return [...places.values()].map(({ front, count, kib }) => {
    const own = samples.filter((one) => one.front === front && one.count === count && one.kib === kib)
    const of = (key) => median(own.map((one) => one[key]))
    return { front, count, kib, p50: of('p50'), p99: of('p99'), spread: spread(own.map(({ p50 }) => p50)) }
  })
}

function besideOf({ beside }, kind) {
  const own = beside.filter((one) => one.kind === kind)
  const values = (which, key) => own.map((one) => one[which][key])
  const p95 = (which) => median(values(which, 'p95'))
  return {
    alone: p95('alone'),
    beside: p95('beside'),
    ratio: ratioOf(values('beside', 'p95'), values('alone', 'p95')),
    few: ratioOf(values('few', 'p95'), values('alone', 'p95')),
    most: Math.max(...values('beside', 'most')),
    endsPerSecond: median(own.map(({ endsPerSecond }) => endsPerSecond)),
  }
}

/** What is to be reached, on two cores. */
function judge(results) {
  const rows = summary(results)
  const leg = (kib) => rows.find((row) => row.front === 'WebAssembly' && row.count === 5 && row.kib === kib)?.p50
  const { ends, crowd, perSecond } = results
  const bar = (what, value, most, unit) => ({ what, value, most, unit, pass: value <= most })
  const perLeg = median(perSecond)
  return [
    bar('five rules on 2 KiB, p50 of a leg', leg(2), 0.3, 'ms'),
    bar('five rules on 16 KiB, p50 of a leg', leg(16), 1.5, 'ms'),
    { what: 'one worker, one rule, 1 KiB', value: perLeg, least: 8_000, unit: 'legs/s', pass: perLeg >= 8_000 },
    bar('a rule that runs away, most over its limit', ends.overLimit.at(-1), 50, 'ms'),
    bar(
      'legs without such rules while it is ended three times, p95 to p95 alone',
      besideOf(results, 'without').few,
      1.25,
      'x',
    ),
    bar('the same while it is ended without end', besideOf(results, 'without').ratio, 1.25, 'x'),
    bar('legs with rules meanwhile, longest', besideOf(results, 'with').most, ends.limit + 50, 'ms'),
    bar('a worker with one rule', crowd.perThread, 15, 'MiB'),
  ]
}

export const asJson = (results) =>
  `${JSON.stringify({ ...results, summary: summary(results), bars: judge(results) }, null, 2)}\n`

export function asText(results) {
  const { machine, options, at, ends, crowd, moduleBytes } = results
  const lines = summary(results).map(({ front, count, kib, p50, p99, spread: part }) =>
    [
      front.padEnd(14),
      `x${count}`,
      `${kib} KiB`.padStart(8),
      p50.toFixed(3).padStart(9),
      p99.toFixed(3).padStart(9),
      `+-${(part * 100).toFixed(0)} %`.padStart(8),
    ].join('  '),
  )
  const bars = judge(results).map(
    ({ what, value, most, least, unit, pass }) =>
      `  ${pass ? 'reached    ' : 'NOT REACHED'} ${what}: ${value.toFixed(2)} ${unit}, ${most === undefined ? `at least ${least}` : `at most ${most}`}`,
  )
  const parts = [
    `Rules in WebAssembly, ${at}; ${machine.cores} cores (${machine.model}), Node ${machine.node}, load ${machine.load.toFixed(1)} ` +
      `before it began, ${options.rounds} rounds of ${options.ms} ms each; the rule is ${moduleBytes} bytes of AssemblyScript`,
    ['front'.padEnd(14) + '  rules    size     p50 ms     p99 ms   spread', ...lines].join('\n'),
    `A rule was ended ${ends.times} times at ${ends.limit} ms: ${quantile(ends.overLimit, 0.5).toFixed(1)} ms over it (p50), ` +
      `${ends.overLimit.at(-1).toFixed(1)} at most; the next call was answered after ${quantile(ends.next, 0.5).toFixed(1)} ms (p50), ${ends.next.at(-1).toFixed(1)} at most.`,
    ...['without', 'with'].map((kind) => besideText(kind, besideOf(results, kind))),
    `The first rule was ready after ${crowd.started.toFixed(0)} ms with all threads, ${crowd.count - 1} more after ${crowd.ready.toFixed(0)} ms ` +
      `and ${crowd.rules.toFixed(0)} MiB; a thread with one rule took ${crowd.perThread.toFixed(1)} MiB.`,
    ['Bars', ...bars].join('\n'),
  ]
  return `${parts.join('\n\n')}\n`
}

const besideText = (kind, { alone, beside, ratio, few, endsPerSecond }) =>
  `Legs ${kind} such a rule, p95: alone ${alone.toFixed(2)} ms, while one is ended three times ${few.toFixed(2)}x, while ${endsPerSecond.toFixed(0)} a second are ended ${beside.toFixed(2)} ms, ratio ${ratio.toFixed(2)}x.`
