// What one run of a rule costs: node rules-wasm/sandbox/bench.mjs (after a build).
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { encodeInput, inputOf, openRule } from './dist/index.js'
import { assemble, build } from './dist/rule.fixture.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Parses the JSON, looks at every text for two phrases whatever their case, answers findings. */
const scanner = `
import { Answer, Message, serve } from '@gatehouse/rule-assemblyscript/assembly'
export { gatehouse_rule_abi_1 } from '@gatehouse/rule-assemblyscript/assembly'
export function evaluate(): i32 { return serve(look) }
function look(message: Message): Answer {
  const texts = message.texts
  for (let i = 0; i < texts.length; i++) {
    const at = texts[i].indexOfIgnoreCase('ignore previous instructions')
    if (at >= 0) message.found('INJECTION', texts[i], at, at + 28)
  }
  return message.pass()
}`

function compile(source) {
  const folder = mkdtempSync(join(tmpdir(), 'rule-bench-'))
  try {
    writeFileSync(join(folder, 'index.ts'), source)
    const asc = join(root, 'node_modules/assemblyscript/bin/asc.js')
    const options = [
      '-O3',
      '--runtime',
      'stub',
      '--noAssert',
      '--converge',
      '--enable',
      'simd',
      '--initialMemory',
      '64',
    ]
    const abort = ['--use', 'abort=~lib/@gatehouse/rule-assemblyscript/assembly/abort/abort']
    const out = join(folder, 'rule.wasm')
    const args = [asc, join(folder, 'index.ts'), '-o', out, ...options, ...abort, '--path', join(root, 'node_modules')]
    execFileSync(process.execPath, args, { cwd: folder, stdio: 'inherit' })
    return new Uint8Array(readFileSync(out))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Answers as soon as it has read its input, by one copy or by Extism's loads of eight bytes. */
const reader = (how) => `(module
  (import "extism:host/user" "input_read" (func $input_read (param i32 i32 i32) (result i32)))
  (import "extism:host/user" "output_write" (func $output_write (param i32 i32)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "input_load_u64" (func $load (param i64) (result i64)))
  (memory (export "memory") 16)
  (data (i32.const 16) "{\\"version\\":1,\\"verdict\\":\\"pass\\"} ")
  (global (export "gatehouse_rule_abi_1") i32 (i32.const 1))
  (func (export "evaluate") (result i32) (local $at i64) (local $to i64)
    ${
      how === 'copy'
        ? '(drop (call $input_read (i32.const 1024) (i32.const 0) (i32.const 1000000)))'
        : `(local.set $to (i64.sub (call $input_length) (i64.const 8)))
    (loop $l
      (i64.store offset=1024 (i32.wrap_i64 (local.get $at)) (call $load (local.get $at)))
      (local.set $at (i64.add (local.get $at) (i64.const 8)))
      (br_if $l (i64.le_s (local.get $at) (local.get $to))))`
    }
    (call $output_write (i32.const 16) (i32.const 31))
    (i32.const 0)))`

/** Rows of a table, as a tool answers them. */
function inputOfSize(bytes) {
  const rows = []
  const message = () => inputOf({ leg: 'response', message: { content: rows } })
  for (let n = 0; encodeInput(message(), ['message']).length < bytes; n++)
    rows.push({ type: 'text', text: 'row ' + n + ': name "n' + n * 7919 + '", paid on time, no remarks, see the file' })
  return encodeInput(message(), ['message'])
}

async function measure(work, rounds) {
  for (let n = 0; n < rounds / 4; n++) await work()
  const times = []
  for (let n = 0; n < rounds; n++) {
    const began = performance.now()
    await work()
    times.push((performance.now() - began) * 1000)
  }
  times.sort((a, b) => a - b)
  return { p50: times[rounds >> 1], p99: times[Math.floor(rounds * 0.99)] }
}

const us = ({ p50, p99 }) => `${p50.toFixed(1)} / ${p99.toFixed(0)}`
const rules = {
  'reads by one copy': assemble(reader('copy')),
  'reads by Extism loads': assemble(reader('loads')),
  'AssemblyScript: parses, scans': compile(scanner),
}
for (const [name, bytes] of Object.entries(rules)) {
  const began = performance.now()
  const module = await build(bytes)
  const built = performance.now()
  const rule = await openRule(module, {})
  const opened = performance.now()
  console.log(
    `${name}: ${bytes.length} bytes, ${module.facts.meteredBytes} metered; built in ${(built - began).toFixed(1)} ms, opened in ${(opened - built).toFixed(1)} ms`,
  )
  for (const kib of [1, 2, 16, 250]) {
    const input = inputOfSize(kib * 1024 - 200)
    let last
    const told = await measure(async () => (last = await rule.run({ input, kv: null })), kib > 100 ? 200 : 3_000)
    if (last.failure !== null) throw new Error(last.failure.message)
    console.log(`  ${kib} KiB: p50 / p99 ${us(told)} us, ${last.fuel} units of fuel, ${last.memoryPages} pages`)
  }
  console.log(`  opening it again: ${us(await measure(async () => (await openRule(module, {})).close(), 300))} us`)
}
