import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { configurationBench } from '../test/configuration.js'
import { readDefaultRules } from './default-rules.js'
import { createGateway } from './nouns/gateways.js'

const source = (text: string, name = 'own.yaml') => ({ text, name, from: '/' })
const DEFAULTS = source('defaultRules: [{ name: a, engine: regex, hook: both, action: detect, patterns: [x] }]')
const [rule] = readDefaultRules([DEFAULTS])

const names = (rules: readonly { readonly name: string }[] = []) => rules.map(({ name }) => name)

test('the last file that names the key wins, an empty list means none', () => {
  const other = source('defaultRules: [{ name: b, engine: secrets, hook: request, action: block }]')
  assert.equal(names(readDefaultRules([DEFAULTS, source('version: 1')])), ['a'])
  assert.equal(names(readDefaultRules([DEFAULTS, other])), ['b'])
  assert.equal(readDefaultRules([DEFAULTS, source('defaultRules: []')]), [])
})

test('what is no rule refuses the start, with its place', () => {
  assert.throws(
    () => readDefaultRules([source('version: 1\ndefaultRules: [{ name: b, engine: secrets }]')]),
    /own\.yaml:2:\d+ defaultRules\[0\]\.?.*hook/,
  )
})

async function scene() {
  const skipped: string[] = []
  const rules = rule === undefined ? [] : [rule, { ...rule, name: 'b', engine: 'absent' }]
  const onSkipped = (name: string, why: string) => void skipped.push(`${name}: ${why}`)
  const it = await configurationBench({ checks: { defaultRules: { rules, onSkipped } } })
  return { ...it, skipped }
}

test('a gateway that is made without rules has them, one that says its own has those; what does not fit is told', async () => {
  const { mutations, admin, skipped } = await scene()
  const made = await mutations.change(admin, (work) => createGateway(work, 'plain', {}))
  assert.equal(names(made.rules), ['a'])
  assert.equal(skipped, ["b: engine: there is no engine 'absent'; known are regex, acme"])
  const none = await mutations.change(admin, (work) => createGateway(work, 'none', { rules: [] }))
  assert.equal(names(none.rules), [])
})

test('a gateway of a file has exactly what stands there', async () => {
  const { files, fromFile, store } = await scene()
  await files.apply(fromFile('version: 1\ngateways: { g: {} }\n'))
  assert.equal((await store.gateways.byKey('g'))?.rules, [])
})

test.run()
