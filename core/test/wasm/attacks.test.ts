// time-limit: 300
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import binaryen from 'binaryen'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy } from '../door.js'
import { answerJson, fakeUpstream, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { moduleOf } from './modules.js'

/**
 * Hostile modules through the real gateway: each is refused at its upload, or ends on the call that it covers. Either way, another
 * gateway whose rule runs in the same threads answers as before.
 */

let home: string
let server: FakeServer
let gateway: RunningGateway
let victim: Access
let calm: Access

test.before(async () => {
  server = await fakeUpstream(
    (seen) => answerJson(seen, { result: { content: [{ type: 'text', text: 'done' }], resultType: 'complete' } }),
    { tools: ['act'] },
  )
  home = await mkdtemp(join(tmpdir(), 'wasm-attacks-'))
  gateway = await startGateway({ home, yaml: `version: 1\nservers: { one: { url: ${JSON.stringify(server.url)} } }\n` })
  for (const slug of ['house', 'calm']) {
    await gateway.api('POST', '/gateways', { slug, servers: [{ server: 'one' }], rules: [] })
  }
  victim = await gateway.mintToken({ gateway: 'house', host: 'victim' })
  calm = await gateway.mintToken({ gateway: 'calm', host: 'calm' })
  await gateway.api('POST', '/artifacts', { engine: 'wasm', ...moduleOf('signs') })
  await gateway.api('POST', '/gateways/calm/rules', { name: 'signs', engine: 'wasm', hook: 'request', module: 'signs' })
})
test.after(async () => {
  await gateway.stop()
  await server.stop()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

async function send(text: string, access: Access): Promise<'done' | 'blocked'> {
  const { json } = await legacy(access, call('act', { text }))
  return json.result?.isError === true ? 'blocked' : json.result?.content[0].text
}

const CAPABILITIES = ['log', 'config', 'kv', 'regex', 'counters']
const MANIFEST = {
  capabilities: CAPABILITIES,
  stateful: true,
  patterns: { hostile: '(x|[a-z])*(x|[a-z])*[^a]([a-z]|q)*\\d' },
}

interface Attack {
  readonly body?: string
  readonly memory?: string
  readonly parts?: string
  readonly imports?: string
  readonly manifest?: object
  readonly bytes?: () => Uint8Array
  /** Whether it does not get as far as a call. */
  readonly refused?: RegExp
}

const HOST = '"extism:host/user"'
const wat = ({
  body = '',
  memory = '(memory (export "memory") 2)',
  parts = '',
  imports = '',
}: Attack): string => `(module
  (import ${HOST} "output_write" (func $output_write (param i32 i32)))
  (import ${HOST} "input_read" (func $input_read (param i32 i32 i32) (result i32)))
  (import ${HOST} "log" (func $log (param i32 i32 i32)))
  (import ${HOST} "kv_set" (func $kv_set (param i32 i32 i32 i32 i32) (result i32)))
  (import ${HOST} "regex_match" (func $regex_match (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  ${imports}
  ${memory}
  (data (i32.const 16) "hostile")
  (data (i32.const 64) "{\\22version\\22:1,\\22verdict\\22:\\22pass\\22}")
  (data (i32.const 128) "{\\22version\\22:1,\\22verdict\\22:\\22block\\22,\\22reason\\22:\\22\\5cud800\\22}")
  (data (i32.const 256) "{\\22version\\22:1,\\22verdict\\22:\\22modify\\22,\\22message\\22:{\\22name\\22:\\22other\\22,\\22arguments\\22:{}}}")
  ${parts}
  (func (export "gatehouse_rule_abi_1"))
  (func (export "evaluate") (result i32) (local $i i32) ${body} (i32.const 0)))`

const answering = (at: number, length: number) => `(call $output_write (i32.const ${at}) (i32.const ${length}))`
const endless = '(loop $l (br $l))'

const ATTACKS: Readonly<Record<string, Attack>> = {
  'an endless loop': { body: endless },
  'a loop in its start section': { parts: `(func $s ${endless}) (start $s)`, refused: /start/ },
  'a loop of calls of the host': {
    body: '(loop $l (drop (call $input_read (i32.const 0) (i32.const 0) (i32.const 0))) (br $l))',
  },
  'a hostile pattern on a hostile text': {
    body: `(memory.fill (i32.const 9000) (i32.const 97) (i32.const 65536))
      (loop $l (drop (call $regex_match (i32.const 16) (i32.const 7) (i32.const 9000) (i32.const 65536) (i32.const 0) (i32.const 8))) (br $l))`,
  },
  'a memory bomb': {
    body: '(loop $l (drop (memory.grow (i32.const 1))) (memory.fill (i32.const 0) (i32.const 1) (i32.mul (memory.size) (i32.const 65536))) (br $l))',
  },
  'a table bomb': {
    parts: '(table $t 1 funcref)',
    body: '(loop $l (drop (table.grow $t (ref.null func) (i32.const 1000))) (br $l))',
  },
  'recursion without end': {
    parts: '(func $r (param i64) (call $r (local.get 0)) (call $r (local.get 0)))',
    body: '(call $r (i64.const 0))',
  },
  'an answer of a gibibyte': { body: answering(0, 0x40000000) },
  '70,000 allocations of nothing': {
    body: '(loop $l (drop (call $alloc (i64.const 0))) (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 70000))))',
  },
  'a flood of the log': { body: '(loop $l (call $log (i32.const 1) (i32.const 16) (i32.const 7)) (br $l))' },
  'a flood of the store': {
    body: `(loop $l (i32.store (i32.const 9000) (i32.and (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 0x7f7f7f7f)))
      (drop (call $kv_set (i32.const 9000) (i32.const 4) (i32.const 16) (i32.const 7) (i32.const 0))) (br $l))`,
  },
  'reads that no cache holds': {
    memory: '(memory (export "memory") 64)',
    manifest: { limits: { deadlineMs: 10, killMs: 40 } },
    body: `(loop $l (local.set $i (i32.load (i32.and (i32.mul (i32.add (local.get $i) (i32.const 12345)) (i32.const 747796405)) (i32.const 4194300)))) (br $l))`,
  },
  'a trap': { body: 'unreachable' },
  'no answer': {},
  'an answer that is no JSON': { body: answering(64, 5) },
  'half a character in its answer': { body: answering(128, 53) },
  'another tool in the place of the one that was called': { body: answering(256, 78) },
  'an unknown import': { imports: `(import ${HOST} "open_door" (func))`, refused: /not offered/ },
  'the memory of somebody else': { imports: '(import "env" "memory" (memory 1))', memory: '', refused: /memory/ },
  'WASI without a grant': {
    imports: '(import "wasi_snapshot_preview1" "fd_write" (func))',
    refused: /wasiStub|not offered/,
  },
  'an import that every object has': {
    imports: `(import ${HOST} "constructor" (func))`,
    refused: /constructor|not offered/,
  },
  'a fuel of its own': {
    parts: '(global $g (export "gatehouse_fuel") (mut i64) (i64.const 0))',
    refused: /gatehouse_fuel/,
  },
  'a configuration key that every object has': {
    body: answering(64, 30),
    manifest: { config: { constructor: { default: 'x' } } },
    refused: /config/,
  },
  'a module that is cut off': { bytes: () => assemble({}).subarray(0, 90), refused: /./ },
  'bytes that are no module': { bytes: () => Buffer.from('\0asm and more'), refused: /./ },
}

function assemble(attack: Attack): Uint8Array {
  const module = binaryen.parseText(wat(attack))
  try {
    const { MutableGlobals, BulkMemory, ReferenceTypes, SignExt } = binaryen.Features
    module.setFeatures(MutableGlobals | BulkMemory | ReferenceTypes | SignExt)
    return module.emitBinary()
  } finally {
    module.dispose()
  }
}

let made = 0

/** The status of the upload and what is said of it. */
async function upload(attack: Attack) {
  made += 1
  const bytes = attack.bytes?.() ?? assemble(attack)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const manifest = {
    name: `attack-${made}`,
    version: '1',
    abi: 'gatehouse.rule/1',
    sha256,
    ...MANIFEST,
    ...attack.manifest,
  }
  const body = { engine: 'wasm', module: Buffer.from(bytes).toString('base64'), manifest }
  const said = await gateway.api('POST', '/artifacts', body).then(
    () => null,
    (error: unknown) => String(error),
  )
  return { said, name: manifest.name }
}

/** The other gateway answers, and its rule judges. */
async function othersAreUnharmed(): Promise<void> {
  assert.equal([await send('all is well', calm), await send('a # sign', calm)], ['done', 'blocked'])
}

for (const [name, attack] of Object.entries(ATTACKS)) {
  test(`${name}: others are answered as before`, async () => {
    const { said, name: module } = await upload(attack)
    if (attack.refused !== undefined) {
      assert.match(said ?? 'it was taken', attack.refused)
      return othersAreUnharmed()
    }
    assert.is(said, null)
    const rule = { name: module, engine: 'wasm', hook: 'request', module, onFailure: 'block' }
    const { id } = await gateway.api('POST', '/gateways/house/rules', rule)
    const [ended] = await Promise.all([send('hello', victim), othersAreUnharmed()])
    assert.is(ended, 'blocked')
    await gateway.api('DELETE', `/gateways/house/rules/${String(id)}`)
    await othersAreUnharmed()
  })
}

test('a module of 50 MB is turned away before it is read', async () => {
  const bytes = Buffer.alloc(50 * 1024 * 1024)
  const { said } = await upload({ bytes: () => bytes })
  assert.match(said ?? 'it was taken', /413|too large|limit|EPIPE|ECONNRESET|fetch failed/i)
  await othersAreUnharmed()
})

test.run()
