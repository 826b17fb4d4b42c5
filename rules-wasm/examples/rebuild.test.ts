import assert from 'node:assert/strict'
import { buildRule, runVectors } from '@gatehouse/rule-sandbox'
import { suite } from 'uvu'
import { listExamples, readExample } from './example.js'
import { rebuild, whyNot } from './rebuild.js'

const LEAST_VECTORS = 6
/** Building all takes a minute: one in AssemblyScript will do unless told so. Those of other toolchains are built where these are. */
const isThorough = process.env['EXAMPLES_REBUILD'] === 'all'
const sample = ['secrets-entropy']

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

  const isOneOfMany = example.recipe.command[0] === 'gatehouse' && example.recipe.compiler === undefined
  const reason =
    isOneOfMany && !isThorough && !sample.includes(name) ? 'EXAMPLES_REBUILD=all builds it' : whyNot(example)
  const law = `${name}: the sources give the module byte for byte`
  if (reason !== null) test.skip(`${law} (${reason})`)
  else test(law, async () => assert.ok((await rebuild(example)).equals(example.module), 'run make.mjs and commit'))
}

test.run()
