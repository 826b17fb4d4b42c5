import { createHash } from 'node:crypto'
import type { Artifact } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bench, message, saying, verdicts } from './rule.fixture.js'

const rules = await bench()
test.after(() => rules.host.stop())

function javascript(source: string, parts: Readonly<Record<string, unknown>> = {}): Artifact {
  const bytes = Buffer.from(source)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const manifest = {
    name: 'script',
    version: '1.0.0',
    abi: 'gatehouse.rule/1',
    language: 'javascript',
    sha256,
    ...parts,
  }
  return { name: 'script', version: 1, sha256, bytes, manifest, grants: {}, signedBy: null }
}

const looking = `export function evaluate({ message }) {
  return JSON.stringify(message).includes('#') ? { verdict: 'block', reason: 'no' } : { verdict: 'pass' }
}`

test('rules in JavaScript stand in a chain beside others, with the same evidence', async () => {
  const turns = await Promise.all([saying({ verdict: 'pass' }), javascript(looking)].map((one) => rules.prepare(one)))
  assert.equal(verdicts(await rules.ask(turns)), ['pass', 'pass'])
  const answers = await rules.ask(turns, { message: message('#') })
  assert.equal(verdicts(answers), ['pass', 'block'])
  const { fuel, module_sha256: sha256 } = answers[1]?.evidence ?? {}
  assert.ok(Number(fuel) > 0)
  assert.is(sha256, javascript(looking).sha256)
})

test('a script without end strikes, and the rules beside it answer', async () => {
  const endless = await rules.prepare(javascript('export function evaluate() { for (;;); }'))
  const honest = await rules.prepare(javascript(looking))
  const [ended] = await rules.ask([endless])
  assert.is(ended?.verdict, 'undecided')
  assert.ok(ended?.strike !== undefined)
  assert.equal(verdicts(await rules.ask([honest], { message: message('#') })), ['block'])
})

test('what a script throws is told as its own fault and never in its words: strikes go to alerts', async () => {
  const [thrown] = await rules.ask([
    await rules.prepare(javascript("export function evaluate() { throw new Error('swordfish') }")),
  ])
  assert.is(thrown?.strike, 'error: it ended with an error of its own')
})

test('a script that cannot be loaded is refused when it is uploaded', async () => {
  const [error] = await rules.errors(javascript('export function evaluate( {'))
  assert.match(error ?? '', /SyntaxError/)
})

test.run()
