/**
 * How well and how fast personal data is found: the engine `pii` and, where it can be had, the real Presidio on the same
 * held-out texts.
 *
 *   node scripts/bench/detection/pii.mjs            prints the tables (build first: npx tsc -b)
 *   node scripts/bench/detection/pii.mjs --write    puts the table of accuracy into docs/pii.md
 *   node scripts/bench/detection/pii.mjs --tuning   the two thirds that recognisers may be tuned on
 *   node scripts/bench/detection/pii.mjs --ours     without Presidio
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { ensurePresidio, startPresidio } from '../../presidio.mjs'
import { isHeldOut, readCorpus } from './pii-corpus.mjs'
import { createScores } from './pii-scores.mjs'
import { measureSpeed } from './pii-speed.mjs'
import { createOurs, ENTITIES, settle } from './pii-ours.mjs'

const PAGE = new URL('../../../docs/pii.md', import.meta.url)
const has = (option) => process.argv.includes(`--${option}`)
const BATCH = 40

const texts = readCorpus().filter(({ id }) => isHeldOut(id) !== has('tuning'))
const ours = score(createOurs().findAll(texts))
const presidio = has('ours') ? null : await askPresidio()
const table = accuracyTable(ours, presidio === null ? null : score(presidio))
console.log(`${texts.length} texts\n\n${table}\n`)
if (has('write')) write(table)
console.log(await measureSpeed(texts))

function score(findings) {
  const scores = createScores(ENTITIES)
  for (const [index, { entities }] of texts.entries()) scores.add(entities, settle(findings[index]))
  return scores
}

async function askPresidio() {
  const { python, missing } = ensurePresidio()
  if (python === undefined) {
    console.log(missing)
    return null
  }
  const analyzer = await startPresidio(python)
  const findings = []
  try {
    for (let at = 0; at < texts.length; at += BATCH) {
      findings.push(...(await ask(analyzer.url, texts.slice(at, at + BATCH))))
      process.stderr.write(`\rPresidio: ${Math.min(at + BATCH, texts.length)} of ${texts.length}`)
    }
  } finally {
    await analyzer.stop()
  }
  process.stderr.write('\n')
  return findings
}

async function ask(url, batch) {
  const body = JSON.stringify({
    text: batch.map(({ text }) => text),
    language: 'en',
    entities: ENTITIES,
    score_threshold: 0.2,
  })
  const response = await fetch(`${url}/analyze`, { method: 'POST', body })
  if (!response.ok) throw new Error(`Presidio answered ${response.status}`)
  const answer = await response.json()
  return answer.map((results, index) => results.map((result) => inUnits(result, batch[index].text)))
}

/** Python counts code points. */
function inUnits({ entity_type: type, start, end, score }, text) {
  const signs = Array.from(text)
  const unit = (at) => signs.slice(0, at).join('').length
  return { type, start: unit(start), end: unit(end), score }
}

function accuracyTable(own, other) {
  const head = ['entity', 'in the texts', 'precision', 'recall', 'F1', ...(other ? ['precision', 'recall', 'F1'] : [])]
  const others = other?.rows()
  const line = (type, row, rival) =>
    [type, row.truths, ...figures(row), ...(rival === undefined ? [] : figures(rival))].join(' | ')
  const rows = own.rows().map((row, index) => line(`\`${row.type}\``, row, others?.[index]))
  const rule = head.map((_, index) => (index === 0 ? '---' : '--:')).join(' | ')
  const groups = other ? ['', '', 'ours', '', '', 'Presidio', '', ''] : null
  const lines = [groups?.join(' | ') ?? head.join(' | '), rule, ...(groups ? [head.join(' | ')] : []), ...rows]
  return [...lines, line('all', own.all(), other?.all())].map((text) => `| ${text} |`).join('\n')
}

function figures({ precision, recall, f1 }) {
  return [precision, recall, f1].map((value) => value?.toFixed(3) ?? '-')
}

function write(table) {
  const page = readFileSync(PAGE, 'utf8')
  const [before, rest] = page.split('<!-- accuracy -->')
  const after = rest.split('<!-- /accuracy -->')[1]
  writeFileSync(PAGE, `${before}<!-- accuracy -->\n\n${table}\n\n<!-- /accuracy -->${after}`)
}
