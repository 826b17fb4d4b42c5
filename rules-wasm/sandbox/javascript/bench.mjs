/** What a rule in JavaScript costs: `node rules-wasm/sandbox/javascript/bench.mjs`, after a build. Milliseconds and units of fuel. */
import { createHash } from 'node:crypto'
import { parseArgs } from 'node:util'
import { RuleManifest } from '@gatehouse/sdk/rule-abi'
import { buildRule, encodeInput, inputOf, openRule } from '../dist/index.js'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '200' } } })
const rules = {
  'passes at once': `export function evaluate() { return { verdict: 'pass' } }`,
  'one search in each text': `export function evaluate({ texts }) {
    for (const text of texts) if (text.toLowerCase().includes('drop table')) return { verdict: 'block' }
    return { verdict: 'pass' }
  }`,
  'one regular expression in each text': `export function evaluate({ texts }) {
    for (const text of texts) if (/drop\\s+table/i.test(text)) return { verdict: 'block' }
    return { verdict: 'pass' }
  }`,
}

const row = { id: 4711, name: 'Ada Lovelace', note: 'a row that is neither short nor long, as they come' }
const messageOf = (bytes) => ({
  arguments: { rows: Array.from({ length: Math.ceil(bytes / (JSON.stringify(row).length + 1)) }, () => row) },
})

for (const [name, source] of Object.entries(rules)) {
  const input = name === 'passes at once' ? ['message'] : ['texts']
  const { rule, opened } = await open(source, input)
  console.log(`${name} (opened in ${opened.toFixed(1)} ms)`)
  for (const bytes of [1_024, 2_048, 16_384, 65_536]) {
    const shown = encodeInput(inputOf({ leg: 'response', message: messageOf(bytes) }), input)
    const runs = []
    for (let n = 0; n < Number(values.rounds); n += 1) runs.push(await rule.run({ input: shown, kv: null }))
    const times = runs.map(({ ms }) => ms).toSorted((a, b) => a - b)
    const at = (part) => times[Math.floor(times.length * part)].toFixed(3)
    const { fuel, memoryPages, failure } = runs.at(-1)
    console.log(
      `  ${shown.length} bytes: least ${at(0)}, p50 ${at(0.5)}, p99 ${at(0.99)}, fuel ${fuel}, pages ${memoryPages} ${failure?.message ?? ''}`,
    )
  }
}
const before = process.memoryUsage().rss
const open50 = []
for (let n = 0; n < 50; n += 1) open50.push((await open(rules['one search in each text'], ['texts'])).rule)
console.log(`an open rule: ${((process.memoryUsage().rss - before) / 50 / 1e6).toFixed(2)} MB`)

async function open(source, input) {
  const bytes = Buffer.from(source)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const manifest = RuleManifest.parse({
    name: 'bench',
    version: '1.0.0',
    abi: 'gatehouse.rule/1',
    language: 'javascript',
    sha256,
    input,
    limits: { inputBytes: 65_536 },
  })
  const built = await buildRule({ bytes, manifest, grants: {} })
  const began = performance.now()
  return { rule: await openRule(built.module, {}), opened: performance.now() - began }
}
