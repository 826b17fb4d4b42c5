import { mib } from './verdict.mjs'

const ROWS = 12

/** For people: a table of the time, what was done how often, and the verdicts. */
export function asText({ samples, counts, failures, verdicts }) {
  const step = Math.max(1, Math.floor(samples.length / ROWS))
  const rows = samples.filter((_, n) => n % step === 0 || n === samples.length - 1).map(rowOf)
  const head = ['seconds', 'resident MiB', 'heap MiB', 'clients', 'to servers', 'children', 'sessions', 'busy with']
  const deeds = Object.entries(counts).map(([name, count]) => `${name}: ${count}`)
  return [
    table([head, ...rows]),
    '',
    `Done: ${deeds.join(', ')}.`,
    ...failures.map((failure) => `Failed: ${failure}`),
    '',
    ...verdicts.map(({ name, holds, said }) => `${holds ? 'ok    ' : 'FAILED'} ${name}: ${said}`),
    '',
  ].join('\n')
}

function rowOf({ seconds, rss, heapUsed, external, inbound, outbound, children, upstream, busyWith }) {
  const busy = Object.values(busyWith).reduce((sum, count) => sum + count, 0)
  return [seconds, mib(rss), mib(heapUsed + external), inbound, outbound, children, upstream.sessions, busy].map(String)
}

function table(rows) {
  const widths = rows[0].map((_, n) => Math.max(...rows.map((row) => row[n].length)))
  return rows.map((row) => row.map((cell, n) => cell.padStart(widths[n])).join('  ')).join('\n')
}
