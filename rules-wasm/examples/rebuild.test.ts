// time-limit: 300
import assert from 'node:assert/strict'
import {
  buildRule,
  encodeInput,
  inputOf,
  openRule,
  type RuleModule,
  runVectors,
  settledConfig,
} from '@gatehouse/rule-sandbox'
import { suite } from 'uvu'
import { listExamples, readExample } from './example.js'
import { rebuild, whyNot } from './rebuild.js'

const LEAST_VECTORS = 6
/** Building all takes a minute: one in AssemblyScript will do unless told so. Those of other toolchains are built where these are. */
const isThorough = process.env['EXAMPLES_REBUILD'] === 'all'
const sample = ['secrets-entropy']

const prose = (size: number): string =>
  'The quick brown fox, who must not be named, reads all rules. '.repeat(size / 61)

function rows(size: number): string {
  const row = (id: number) => ({ id, name: `Person ${id}`, email: `p${id}@example.com`, token: `x${id * 7919}` })
  return JSON.stringify(Array.from({ length: size / 90 }, (_, id) => row(id)))
}

async function runLarge(module: RuleModule, textOf: (size: number) => string): Promise<void> {
  const { manifest, limits } = module
  // JSON in JSON takes more room than it has signs.
  const text = textOf(limits.inputBytes * 0.8)
  const rule = await openRule(module, settledConfig(manifest, manifest.vectors[0]?.config ?? {}))
  for (const leg of manifest.hooks) {
    const message = leg === 'request' ? { arguments: { sql: text } } : { content: [{ text }] }
    const input = encodeInput(inputOf({ leg, message }), manifest.input)
    assert.ok(input.length <= limits.inputBytes && input.length > limits.inputBytes / 2, `${input.length}`)
    const { failure } = await rule.run({ input, kv: manifest.stateful ? new Map() : null })
    assert.equal(failure, null, leg)
  }
  rule.close()
}

const test = suite('examples')

for (const name of listExamples()) {
  const example = readExample(name)

  test(`${name}: the manifest beside the module says its digest, and what rule.json and tests say`, () => {
    assert.deepEqual(example.manifest, example.expected)
    assert.equal(example.manifest.name, name)
    assert.ok(example.manifest.vectors.length >= LEAST_VECTORS, `has ${example.manifest.vectors.length} tests`)
  })

  test(`${name}: the module passes its tests under the limits of the gateway`, async () => {
    const { module: bytes, manifest, grants } = example
    const built = await buildRule({ bytes, manifest, grants })
    assert.ok(built.ok, JSON.stringify(!built.ok && built.problems))
    for (const { name: vector, problem } of await runVectors(built.module)) assert.equal(problem, null, vector)
  })

  // A rule that runs out of fuel on honest messages would be put in quarantine by them; over its limit it is only not asked.
  if (!example.manifest.wasiStub && example.manifest.language === 'wasm') {
    test(`${name}: honest messages as large as it takes do not use up its fuel`, async () => {
      const { module: bytes, manifest, grants } = example
      const built = await buildRule({ bytes, manifest, grants })
      assert.ok(built.ok)
      for (const text of [prose, rows]) await runLarge(built.module, text)
    })
  }

  const isOneOfMany = example.recipe.command[0] === 'gatehouse' && example.recipe.compiler === undefined
  const reason =
    isOneOfMany && !isThorough && !sample.includes(name) ? 'EXAMPLES_REBUILD=all builds it' : whyNot(example)
  const law = `${name}: the sources give the module byte for byte`
  if (reason !== null) test.skip(`${law} (${reason})`)
  else
    test(law, async () =>
      assert.ok((await rebuild(example, process.env)).equals(example.module), 'run make.mjs and commit'),
    )
}

test.run()
