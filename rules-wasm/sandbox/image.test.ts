import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RuleManifest } from '@gatehouse/sdk/rule-abi'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Capabilities } from './capabilities.js'
import { buildRule, settledConfig } from './index.js'
import { build, PASS, wat } from './rule.fixture.js'
import type { RuleModule } from './types.js'
import { WasiStub } from './wasi.js'
import { Blocks } from './webassembly/blocks.js'
import { Exchange } from './webassembly/exchange.js'
import { createGuest } from './webassembly/guest.js'
import { GuestMemory } from './webassembly/guest-memory.js'
import { putBack, takeImage } from './webassembly/image.js'

/** An instance as it is made for calls, and its memory. */
async function start(module: RuleModule) {
  const { manifest, limits, wasiStub, code, data = null } = module
  const capabilities = new Capabilities(manifest, settledConfig(manifest, {}))
  const host = { memory: new GuestMemory(), exchange: new Exchange(limits), capabilities }
  const wasi = wasiStub ? new WasiStub(host, false) : null
  const all = { ...host, blocks: new Blocks(65_536), wasi }
  const guest = await createGuest(code as WebAssembly.Module, all, data)
  return { restore: guest.restore, whole: () => host.memory.view(0, 65_536 * limits.memoryPages) }
}

/** Whatever was written over all of its memory, it is put back to the last byte; and nobody had to look through all of it. */
async function isPutBack(module: RuleModule): Promise<void> {
  const { restore, whole } = await start(module)
  const before = whole().slice()
  whole().fill(0xa5)
  assert.is(restore?.(), true)
  assert.is(Buffer.compare(whole(), before), 0)
}

const pages = 8
const memory = `(memory (export "memory") 1 ${pages})`
const starting = (code: string, parts = '') =>
  wat({ memory, body: PASS, parts: `${parts} (start $s) (func $s ${code})` })

const ways: readonly (readonly [way: string, text: string])[] = [
  ['its data alone', wat({ memory, body: PASS })],
  ['data at the end of its memory', wat({ memory, body: PASS, parts: '(data (i32.const 65532) "abcd")' })],
  [
    'data behind what it believes to be its memory',
    wat({ memory, body: PASS, parts: `(data (i32.const ${pages * 65_536 - 2}) "ab")` }),
  ],
  ['data of zeros', wat({ memory, body: PASS, parts: '(data (i32.const 40000) "\\00\\00\\00")' })],
  ['data that other data lie over', wat({ memory, body: PASS, parts: '(data (i32.const 14) "abcdef")' })],
  ['data of no bytes, far away', wat({ memory, body: PASS, parts: '(data (i32.const 65536) "")' })],
  ['what its start stores', starting('(i64.store offset=65000 (i32.const 400) (i64.const -1))')],
  ['what its start stores below its data', starting('(i32.store8 (i32.const 0) (i32.const 7))')],
  ['a vector of its start', starting('(v128.store (i32.const 60000) (v128.const i32x4 1 2 3 4))')],
  ['what its start fills', starting('(memory.fill (i32.const 50000) (i32.const 9) (i32.const 15536))')],
  ['what its start copies', starting('(memory.copy (i32.const 64000) (i32.const 16) (i32.const 31))')],
  [
    'a segment that its start puts into place',
    starting('(memory.init $d (i32.const 61000) (i32.const 1) (i32.const 3))', '(data $d "wxyz")'),
  ],
  [
    'what its start writes to where its memory has grown',
    starting('(drop (memory.grow (i32.const 3))) (i32.store (i32.const 250000) (i32.const -1))'),
  ],
  [
    'what a function writes that its start calls',
    starting('(call $deep)', '(func $deep (i32.store16 (i32.const 65534) (i32.const 0x0102)))'),
  ],
  [
    'what its _initialize writes',
    wat({
      memory,
      body: PASS,
      parts: '(func (export "_initialize") (i64.store (i32.const 59999) (i64.const 0x0102030405060708)))',
    }),
  ],
]

for (const [way, text] of ways) {
  test(`an instance is remembered with ${way}`, async () => {
    const module = await build(text, { ceilings: { memoryPages: pages } })
    assert.ok(module.data)
    await isPutBack(module)
    await isPutBack({ ...module, data: null })
  })
}

test('an instance is remembered with what the host writes while it starts', async () => {
  const parts = `(import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))`
  const text = wat({
    memory,
    body: PASS,
    parts: '(func (export "_initialize") (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 62000))))',
  }).replace('(module', `(module ${parts}`)
  const options = { manifest: { wasiStub: true }, grants: { wasiStub: true }, ceilings: { memoryPages: pages } }
  const module = await build(text, options)
  const { whole } = await start(module)
  assert.is.not(Buffer.from(whole().subarray(62_000, 62_008)).readBigInt64LE(), 0n)
  await isPutBack(module)
})

const examples = join(import.meta.dirname, '..', '..', 'examples')
for (const name of readdirSync(examples)) {
  const bare = join(examples, name, name)
  if (!existsSync(`${bare}.wasm`)) continue
  test(`an instance of ${name} is remembered whole, without a look at all of its memory`, async () => {
    const manifest = RuleManifest.parse(JSON.parse(readFileSync(`${bare}.rule.json`, 'utf8')))
    const grants = { wasiStub: true, moduleBytes: 4_194_304 }
    const built = await buildRule({ bytes: readFileSync(`${bare}.wasm`), manifest, grants })
    if (!built.ok) throw new Error(built.problems.map(({ message }) => message).join('\n'))
    assert.ok(built.module.data)
    await isPutBack(built.module)
  })
}

test('an image holds what stands in it, and zeros around it', () => {
  const size = 4 * 65_536
  for (const [start, end] of [
    [0, 0],
    [0, 1],
    [70_000, 70_001],
    [1, size],
    [size - 1, size],
    [0, size],
  ] as const) {
    const before = new Uint8Array(size)
    for (let at = start; at < end; at += 97) before[at] = 1 + (at % 255)
    for (const known of [{ start, end }, null]) {
      const image = takeImage(before, known)
      const after = new Uint8Array(size).fill(0xa5)
      putBack(after, image, [0, size])
      assert.is(Buffer.compare(after, before), 0, `${start} to ${end}`)
      for (const [from, to] of [
        [start, end],
        [0, start],
        [end, size],
        [start + 1, size],
      ] as const) {
        const part = before.slice().fill(0xa5, from, Math.max(from, to))
        putBack(part, image, [from, Math.max(from, to)])
        assert.is(Buffer.compare(part, before), 0, `${from} to ${to} of ${start} to ${end}`)
      }
    }
  }
})

test.run()
