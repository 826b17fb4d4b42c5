import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CHECKS, PATTERN_GROUPS, PATTERNS } from '../patterns.js'
import type { LibraryPattern, Stretch } from '../patterns.js'
import { fill, readHit, SAMPLES } from './samples.js'

/** Every match of a pattern in a text, narrowed by its check. */
function find({ pattern, ignoreCase, check }: LibraryPattern, text: string): readonly Stretch[] {
  const regexp = new RegExp(pattern, ignoreCase === true ? 'gi' : 'g')
  return [...text.matchAll(regexp)].flatMap(({ 0: match, index }): Stretch[] => {
    const inner: Stretch | null = check === undefined ? [0, match.length] : CHECKS[check](match)
    return inner === null ? [] : [[index + inner[0], index + inner[1]]]
  })
}

const samplesOf = (id: string) => SAMPLES[id] ?? { hits: [], misses: [] }
const each = (law: (pattern: LibraryPattern) => void) => PATTERNS.forEach(law)

test('ids are names of their own, in kebab case, and no group is called as one', () => {
  const ids = PATTERNS.map(({ id }) => id)
  assert.is(new Set(ids).size, ids.length)
  each(({ id }) => assert.match(id, /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/))
  assert.not.ok(PATTERN_GROUPS.some((group) => ids.includes(group)))
  assert.equal(Object.keys(SAMPLES).toSorted(), ids.toSorted())
})

test('secrets of more than 40 vendors are known, each with a source', () => {
  assert.ok(PATTERNS.filter(({ group }) => group === 'secrets').length > 80)
  each(({ source }) => assert.match(source, /^https:\/\/[a-z0-9.-]+\//))
})

test('every positive sample is found exactly, alone and amid JSON', () => {
  each((pattern) => {
    const { hits } = samplesOf(pattern.id)
    assert.ok(hits.length > 0, pattern.id)
    for (const sample of hits) {
      const { text, start, end } = readHit(sample)
      assert.equal(find(pattern, text), [[start, end]], `${pattern.id}: ${sample}`)
      const around = `{"note":"${text}","n":1}`
      assert.equal(find(pattern, around), [[start + 9, end + 9]], `${pattern.id} in JSON: ${sample}`)
    }
  })
})

test('no negative sample is found', () => {
  each((pattern) => {
    const { misses } = samplesOf(pattern.id)
    assert.ok(misses.length > 1, pattern.id)
    for (const sample of misses) assert.equal(find(pattern, fill(sample)), [], `${pattern.id}: ${sample}`)
  })
})

test('a secret is found by the patterns of its own vendor alone', () => {
  const secrets = PATTERNS.filter(({ group }) => group === 'secrets')
  for (const { id } of secrets) {
    for (const sample of samplesOf(id).hits) {
      const { text } = readHit(sample)
      const finders = secrets.filter((other) => find(other, text).length > 0).map((other) => other.id)
      assert.equal(finders, [id], sample)
    }
  }
})

test('every match holds a literal of its pattern where the pattern says', () => {
  each(({ id, pattern, ignoreCase, literals, at = [0] }) => {
    if (literals === undefined) return
    assert.not.ok(ignoreCase, `${id} heeds case`)
    for (const sample of samplesOf(id).hits) {
      const match = new RegExp(pattern).exec(readHit(sample).text)?.[0] ?? ''
      const fits = literals.some((literal) => at.some((offset) => match.startsWith(literal, offset)))
      assert.ok(fits, `${id}: ${sample}`)
    }
    for (const literal of literals) assert.ok(literal.length > 0)
  })
})

test('a pattern is plain: no lookaround, no reference back, never empty', () => {
  each(({ id, pattern }) => {
    assert.not.match(pattern, /\(\?<?[=!]|\\[1-9k]/, id)
    assert.not.ok(new RegExp(pattern).test(''), id)
  })
})

test.run()
