/**
 * How much of the poisoned definitions the scan finds, and how many honest ones it suspects.
 *
 *   node scripts/bench/detection/poisoning.mjs            prints the tables (build first: npx tsc -b)
 *   node scripts/bench/detection/poisoning.mjs --write    puts them into docs/security.md
 *   node scripts/bench/detection/poisoning.mjs --tuning   what is missed and suspected in the tuning thirds
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { measure } from './poisoning-corpus.mjs'

const PAGE = new URL('../../../docs/security.md', import.meta.url)
const MARKS = ['<!-- poisoning figures -->', '<!-- /poisoning figures -->']
const BARS = { recall: 0.9, falsePositives: 0.01 }
const has = (option) => process.argv.includes(`--${option}`)

const tuning = countOf(measure('tuning'))
const heldOut = countOf(measure('heldout'))
if (has('tuning')) tellMistakes(tuning)
const tables = [summaryTable(), classTable()].join('\n\n')
console.log(`${tables}\n\n${speedLine()}`)
if (has('write')) write(tables)
const isReached = heldOut.recall.share >= BARS.recall && heldOut.falsePositives.share <= BARS.falsePositives
if (!isReached)
  console.error('\nThe held-out third falls short: recall 0.9 and at most 1 % false positives are wanted.')
process.exit(isReached ? 0 : 1)

function countOf({ honest, poisoned }) {
  const isSuspicious = ({ verdict }) => verdict === 'suspicious'
  return {
    honest,
    poisoned,
    recall: share(poisoned.filter(isSuspicious).length, poisoned.length),
    falsePositives: share(honest.filter(isSuspicious).length, honest.length),
    ofClass: (name) => {
      const own = poisoned.filter(({ entry }) => entry.class === name)
      return share(own.filter(isSuspicious).length, own.length)
    },
  }
}

/** With Wilson's interval of 95 %, which holds for shares near 0 and 1 too. */
function share(found, of) {
  const z = 1.959964
  const p = of === 0 ? 0 : found / of
  const middle = (p + (z * z) / (2 * of)) / (1 + (z * z) / of)
  const half = (z * Math.sqrt((p * (1 - p)) / of + (z * z) / (4 * of * of))) / (1 + (z * z) / of)
  return { found, of, share: p, least: Math.max(0, middle - half), most: Math.min(1, middle + half) }
}

function summaryTable() {
  const line = (title, { recall, falsePositives }) =>
    `| ${title} | ${recall.found} of ${recall.of} | ${withInterval(recall, 3)} | ${falsePositives.found} of ${falsePositives.of} | ${inPercent(falsePositives)} |`
  return [
    '| third | poisoned, found | recall (95 %) | honest, suspected | false positives (95 %) |',
    '| --- | --: | --: | --: | --: |',
    line('held out', heldOut),
    line('for tuning', tuning),
  ].join('\n')
}

function classTable() {
  const names = [...new Set([...tuning.poisoned, ...heldOut.poisoned].map(({ entry }) => entry.class))].toSorted()
  const cell = ({ found, of }) => (of === 0 ? '-' : `${found} of ${of}`)
  const rows = names.map((name) => `| \`${name}\` | ${cell(heldOut.ofClass(name))} | ${cell(tuning.ofClass(name))} |`)
  return ['| attack class | held out | for tuning |', '| --- | --: | --: |', ...rows].join('\n')
}

function withInterval({ share: value, least, most }, digits) {
  return `${value.toFixed(digits)} (${least.toFixed(digits)}-${most.toFixed(digits)})`
}

function inPercent({ share: value, least, most }) {
  const percent = (part) => (100 * part).toFixed(1)
  return `${percent(value)} % (${percent(least)}-${percent(most)})`
}

function speedLine() {
  const times = [...tuning.honest, ...heldOut.honest].map(({ ms }) => ms).toSorted((a, b) => a - b)
  const at = (part) => times[Math.floor((times.length - 1) * part)].toFixed(2)
  return `A definition takes ${at(0.5)} ms (median), ${at(0.99)} ms (99th of 100), here and now.`
}

function tellMistakes({ honest, poisoned }) {
  for (const { entry, verdict, suspicions } of honest) {
    if (verdict === 'clean') continue
    console.log(`suspected: ${entry.server} ${entry.definition.name ?? entry.definition.uri}`)
    for (const { check, field, explanation } of suspicions) console.log(`  ${check} ${field}: ${explanation}`)
  }
  for (const { entry, verdict } of poisoned) {
    if (verdict === 'clean') console.log(`missed: ${entry.class} ${entry.language} ${entry.id}`)
  }
}

function write(text) {
  const page = readFileSync(PAGE, 'utf8')
  const [before, rest] = page.split(MARKS[0])
  const after = rest.split(MARKS[1])[1]
  writeFileSync(PAGE, `${before}${MARKS[0]}\n\n${text}\n\n${MARKS[1]}${after}`)
}
