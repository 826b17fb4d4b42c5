// What metering costs, and how much time a unit of fuel is: node rules-wasm/vet/bench.mjs (after a build).
import { createRequire } from 'node:module'
import { performance } from 'node:perf_hooks'
import binaryen from 'binaryen'
import { decode } from './dist/decode.js'
import { meter, vet } from './dist/index.js'

const caps = { memoryPages: 1024, tableElements: 100_000, startFuel: 10n ** 15n }
const imports = new Proxy({}, { get: () => new Proxy({}, { get: () => () => 0, has: () => true }), has: () => true })

/** Loops of `n` rounds: the body, and what the module holds beside it. */
const round = (body, parts = '') => `(module ${parts} (func (export "run") (param $n i32) (result i32)
  (local $a i32) (local $b i64) (local $f f64)
  (loop $l ${body}
    (local.set $n (i32.sub (local.get $n) (i32.const 1)))
    (br_if $l (local.get $n)))
  (i32.add (local.get $a) (i32.wrap_i64 (local.get $b)))))`

const { BulkMemory, BulkMemoryOpt, ReferenceTypes } = binaryen.Features
const features = BulkMemory | BulkMemoryOpt | ReferenceTypes
const memory = '(memory 64)'
const programs = {
  'empty loop': [round(''), 20_000_000],
  'i32 arithmetic': [
    round('(local.set $a (i32.add (i32.mul (local.get $a) (i32.const 1664525)) (i32.const 1013904223)))'),
    20_000_000,
  ],
  'i64 division': [
    round('(local.set $b (i64.rem_u (i64.const -5) (i64.or (i64.extend_i32_u (local.get $n)) (i64.const 1))))'),
    5_000_000,
  ],
  'branches (if, else)': [
    round(`(if (i32.and (i32.mul (local.get $n) (i32.const 40503)) (i32.const 256))
      (then (local.set $a (i32.add (local.get $a) (i32.const 3))))
      (else (local.set $a (i32.xor (local.get $a) (local.get $n)))))`),
    10_000_000,
  ],
  'scan of bytes': [
    round(
      `(if (i32.eq (i32.load8_u (i32.and (local.get $n) (i32.const 65535))) (i32.const 65))
        (then (local.set $a (i32.add (local.get $a) (i32.const 1)))))`,
      memory,
    ),
    10_000_000,
  ],
  calls: [
    round(
      '(local.set $a (call $g (local.get $a)))',
      '(func $g (param i32) (result i32) (i32.add (local.get 0) (i32.load (i32.const 0)))) (memory 1)',
    ),
    10_000_000,
  ],
  'calls of the host': [
    round('(local.set $a (call $h (local.get $a)))', '(import "h" "h" (func $h (param i32) (result i32)))'),
    2_000_000,
  ],
  'random reads in 4 MiB': [
    round(
      `(local.set $a (i32.add (i32.load (i32.and (i32.mul (i32.add (local.get $a) (local.get $n)) (i32.const -1640531535))
        (i32.const 4194300))) (i32.const 7)))`,
      memory,
    ),
    5_000_000,
  ],
  'fill of 64 KiB': [round('(memory.fill (i32.const 0) (local.get $n) (i32.const 65536))', memory), 5_000],
  'copy of 1 byte': [round('(memory.copy (i32.const 0) (i32.const 64) (i32.const 1))', memory), 2_000_000],
  'memory.grow by 0': [round('(drop (memory.grow (i32.const 0)))', memory), 20_000],
  'table.set': [
    round('(table.set 0 (i32.const 1) (ref.func $g))', '(table 10 funcref) (elem declare func $g) (func $g)'),
    1_000_000,
  ],
  'table.fill of 1000': [
    round('(table.fill 0 (i32.const 0) (ref.null func) (i32.const 1000))', '(table 1000 funcref)'),
    2_000,
  ],
  'table.copy of 1000': [
    round('(table.copy (i32.const 0) (i32.const 1) (i32.const 999))', '(table 1000 funcref)'),
    2_000,
  ],
  call_indirect: [
    round(
      '(local.set $a (call_indirect (param i32) (result i32) (local.get $a) (i32.const 0)))',
      '(table 1 funcref) (elem (i32.const 0) $g) (func $g (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))',
    ),
    5_000_000,
  ],
}

/** The least of many, of two builds in turn: what neighbours on the machine take is not ours. */
function leastOf(steps, times = 30) {
  const least = steps.map(() => Infinity)
  for (let n = 0; n < times; n++) {
    for (const [at, step] of steps.entries()) {
      const start = performance.now()
      step()
      least[at] = Math.min(least[at], performance.now() - start)
    }
  }
  return least
}

function load(bytes) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports)
  if (exports.gatehouse_fuel) exports.gatehouse_fuel.value = 10n ** 15n
  return exports
}

console.log('| work | plain, ns a round | metered | overhead | units a round | ns a unit |')
console.log('| --- | --- | --- | --- | --- | --- |')
for (const [name, [wat, most]] of Object.entries(programs)) {
  const module = binaryen.parseText(wat)
  module.setFeatures(features)
  const bytes = module.emitBinary()
  module.dispose()
  const rounds = most / 5
  const [plain, metered] = [load(bytes), load(meter(bytes, caps))]
  metered.run(rounds)
  const units = Number(10n ** 15n - metered.gatehouse_fuel.value) / rounds
  const [before, after] = leastOf([() => plain.run(rounds), () => metered.run(rounds)]).map((ms) => (ms * 1e6) / rounds)
  const overhead = `${((after / before - 1) * 100).toFixed(0)} %`
  const cells = [before.toFixed(2), after.toFixed(2), overhead, units.toFixed(1), (after / units).toFixed(2)]
  console.log(`| ${name} | ${cells.join(' | ')} |`)
}

/** A parser of HTTP that a dependency of the gateway has with it: a module as compilers make them. */
const require = createRequire(new URL('../../core/package.json', import.meta.url))
const llhttp = require('undici/lib/llhttp/llhttp-wasm.js')
const { types, imports: asked } = decode(llhttp)
const offered = asked.map(({ module, name, type }) => ({ module, name, ...types[type] }))
const policy = { moduleBytes: 2 ** 20, ...caps, imports: offered, entryPoints: [], start: true, simd: true }
const vetted = vet(llhttp, policy)
if (!vetted.ok) throw new Error(JSON.stringify(vetted.problems))
const [vetting, metering] = leastOf([() => vet(llhttp, policy), () => meter(llhttp, caps)], 15)
const size = meter(llhttp, caps).length
console.log(
  `llhttp: ${llhttp.length} bytes, ${vetted.facts.functions} functions; vet ${vetting.toFixed(1)} ms, meter ${metering.toFixed(1)} ms; ` +
    `metered ${size} bytes (+${((size / llhttp.length - 1) * 100).toFixed(0)} %)`,
)

/** One request of 30 header lines, parsed again and again on one parser. */
function parser(bytes, rounds) {
  const exports = load(bytes)
  const lines = Array.from({ length: 30 }, (_, n) => `X-Header-${n}: ${'value '.repeat(5)}\r\n`)
  const text = new TextEncoder().encode(`GET /path?query=1 HTTP/1.1\r\nHost: example.com\r\n${lines.join('')}\r\n`)
  const state = exports.llhttp_alloc(1)
  const at = exports.malloc(text.length)
  new Uint8Array(exports.memory.buffer).set(text, at)
  return () => {
    for (let n = 0; n < rounds; n++)
      if (exports.llhttp_execute(state, at, text.length) !== 0) throw new Error('not parsed')
  }
}

const [before, after] = leastOf([parser(llhttp, 500), parser(meter(llhttp, caps), 500)], 60).map((ms) => ms * 2)
const more = ((after / before - 1) * 100).toFixed(0)
console.log(`llhttp, a request of 1.4 KB: ${before.toFixed(2)} us plain, ${after.toFixed(2)} us metered (${more} %)`)
