import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ENTITIES, NAMES } from './entities.js'
import { findNames } from './names.js'
import { findPatterns, recognizersOf } from './patterns.js'
import type { Found } from './patterns.js'

const root = new URL('../../../', import.meta.url)
const file = (path: string) => fileURLToPath(new URL(path, root))
const corpus = readFileSync(file('scripts/bench/detection/pii-corpus.jsonl'), 'utf8')
const page = readFileSync(file('docs/pii.md'), 'utf8')
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

interface Text {
  readonly id: string
  readonly text: string
  readonly entities: readonly Pick<Found, 'type' | 'start' | 'end'>[]
}
const texts = corpus
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Text)
const search = { recognizers: recognizersOf(new Set(ENTITIES)), threshold: 0.2, context: new Set<string>() }

test('the corpus is the frozen one', () => {
  assert.ok(texts.length >= 2_000)
  assert.match(page, sha256(corpus))
})

test('every type is in the corpus, and every truth lies in its text', () => {
  const counts = new Map<string, number>()
  for (const { text, entities } of texts) {
    for (const { type, start, end } of entities) {
      assert.ok(0 <= start && start < end && end <= text.length)
      counts.set(type, (counts.get(type) ?? 0) + 1)
    }
  }
  for (const entity of ENTITIES) assert.ok((counts.get(entity) ?? 0) >= 200, entity)
})

/** The least share of the held-out truths that must be found, by type; a little under what the page tells. */
const LEAST = new Map<string, number>([
  ...ENTITIES.map((entity) => [entity, 0.96] as const),
  ...(['US_BANK_NUMBER', 'US_SSN', 'US_PASSPORT', 'US_DRIVER_LICENSE', 'LOCATION', 'PERSON'] as const).map(
    (entity) => [entity, 0.9] as const,
  ),
])

test('what the page tells of the share that is found still holds', () => {
  const heldOut = texts.filter(({ id }) => Number.parseInt(sha256(id).slice(0, 8), 16) % 3 === 0)
  const truths = new Map<string, number>()
  const found = new Map<string, number>()
  const add = (counts: Map<string, number>, type: string) => counts.set(type, (counts.get(type) ?? 0) + 1)
  for (const { text, entities } of heldOut) {
    const findings = [...findPatterns(text, search), ...findNames(text, new Set(NAMES))]
    for (const truth of entities) {
      add(truths, truth.type)
      if (findings.some((finding) => isOf(truth, finding))) add(found, truth.type)
    }
  }
  for (const [type, least] of LEAST) {
    const share = (found.get(type) ?? 0) / (truths.get(type) ?? 1)
    assert.ok(share >= least, `${type}: ${share}`)
  }
})

test('texts that hold nothing give few findings', () => {
  const empty = texts.filter(({ entities }) => entities.length === 0)
  const alarms = empty.filter(({ text }) => findPatterns(text, search).length > 0)
  assert.ok(empty.length > 300)
  assert.ok(alarms.length / empty.length < 0.02, `${alarms.length} of ${empty.length}`)
})

const isOf = (truth: Text['entities'][number], { type, start, end }: Found) =>
  type === truth.type && Math.min(end, truth.end) - Math.max(start, truth.start) >= (truth.end - truth.start) / 2

test.run()
