/**
 * Makes the corpus that personal data is looked for in: texts whose entities are known, since they were put there.
 *
 *   node scripts/bench/detection/pii-corpus.mjs           prints the corpus' SHA-256 and counts
 *   node scripts/bench/detection/pii-corpus.mjs --write   writes it to pii-corpus.jsonl
 *
 * Nothing in it is of a living person: every value comes from a seeded generator. A third is held out by a hash of the
 * text's id; recognisers are tuned on the rest only.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { carry, carryNothing } from './pii/carriers.mjs'
import { TYPES } from './pii/phrases.mjs'
import { seeded } from './pii/random.mjs'

const SEED = 20_261_125
const COUNT = 2_700
const WITHOUT = 0.18
export const CORPUS = new URL('./pii-corpus.jsonl', import.meta.url)

const sha256 = (text) => createHash('sha256').update(text).digest('hex')
export const isHeldOut = (id) => Number.parseInt(sha256(id).slice(0, 8), 16) % 3 === 0

function makeCorpus() {
  const random = seeded(SEED)
  const lines = []
  for (let index = 0; index < COUNT; index += 1) {
    const id = `pii-${String(index).padStart(4, '0')}`
    const text = random.chance(WITHOUT) ? carryNothing(random) : carry(random, someTypes(random, index))
    lines.push(JSON.stringify({ id, ...text }))
  }
  return `${lines.join('\n')}\n`
}

/** Every type in its turn, and up to three more. */
function someTypes(random, index) {
  const more = Array.from({ length: random.below(4) }, () => random.pick(TYPES))
  return random.shuffle([...new Set([TYPES[index % TYPES.length], ...more])])
}

/** The frozen texts: `{ id, carrier, text, entities }`. */
export function readCorpus() {
  const lines = readFileSync(CORPUS, 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line))
}

function countTypes(lines) {
  const counts = Object.fromEntries(TYPES.map((type) => [type, 0]))
  for (const { entities } of lines) for (const { type } of entities) counts[type] += 1
  return counts
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const made = makeCorpus()
  if (process.argv.includes('--write')) writeFileSync(CORPUS, made)
  const lines = made
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  console.log(
    `sha256 ${sha256(made)}, ${lines.length} texts, ${lines.filter(({ id }) => isHeldOut(id)).length} held out`,
  )
  console.table(countTypes(lines))
}
