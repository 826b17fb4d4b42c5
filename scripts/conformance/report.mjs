import { score } from './compare.mjs'
import { FRONTS } from './options.mjs'

const MESSAGE_SIGNS = 240

/** A table of scenarios and fronts for each revision, what was lost, the authorization server, and the sums as the last line. */
export function asText(verdicts, authorization = null) {
  const tables = verdicts.flatMap((verdict) => [table(verdict), lostLines(verdict)]).filter((part) => part !== '')
  const own = authorization === null ? [] : [authorization]
  const parts = [...tables, ...own.map(({ text }) => text)]
  const sum = (key) => [...verdicts, ...own].reduce((all, { sums }) => all + sums[key], 0)
  return `${[...parts, `${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`].join('\n\n')}\n`
}

function table({ revision, results, scored, unscored }) {
  const fronts = Object.keys(results)
  const rows = [...scored, ...unscored]
    .filter((scenario) => results.direct.has(scenario))
    .map((scenario) => [
      unscored.includes(scenario) ? `${scenario} (not scored)` : scenario,
      ...fronts.map((front) => cell(results[front].get(scenario) ?? [], results.direct.get(scenario))),
    ])
  const all = (front) => [...results[front].values()].flat()
  const total = ['total', ...fronts.map((front) => cell(all(front), all('direct')))]
  const lines = [['', ...fronts.map((front) => `${FRONTS[front]} `)], ...rows, total]
  const widths = lines[0].map((_, n) => Math.max(...lines.map((line) => line[n].length)))
  const text = (line) => line.map((part, n) => (n === 0 ? part.padEnd(widths[n]) : part.padStart(widths[n]))).join('  ')
  return [`Revision ${revision}, passed checks of all:`, ...lines.map((line) => text(line).trimEnd())].join('\n')
}

/** `passed/all`, with a mark when the server itself passes more. */
function cell(checks, ofServer) {
  const { passed, of } = score(checks)
  const mark = passed < score(ofServer).passed ? '!' : ' '
  return `${passed}/${of}${mark}`
}

function lostLines({ revision, lost, problems }) {
  const lines = [...together(lost)].map(([what, fronts]) => `- ${what} [${fronts.join(', ')}]`)
  const all = [...lines, ...problems.map((problem) => `- ${problem}`)]
  return all.length === 0 ? '' : [`Lost at ${revision}:`, ...all].join('\n')
}

/** What several fronts have lost in the same way is told once. */
function together(lost) {
  const found = new Map()
  for (const { front, scenario, check, times, message } of lost) {
    const often = times > 1 ? ` (${times} times)` : ''
    const what = `${scenario}: ${check}${often}: ${short(message)}`
    found.set(what, [...(found.get(what) ?? []), FRONTS[front]])
  }
  return found
}

function short(message) {
  const text = message.replace(/\s+/g, ' ')
  return text.length > MESSAGE_SIGNS ? `${text.slice(0, MESSAGE_SIGNS)}…` : text
}
