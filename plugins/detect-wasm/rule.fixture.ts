import { createHash } from 'node:crypto'
import binaryen from 'binaryen'
import type { Artifact, Evaluation, EvaluateRequest, HookCall, JsonObject, Leaf, PrepareRequest } from '@gatehouse/sdk'
import { callContext, startPlugin } from '@gatehouse/sdk/testing'
import type { TestHost, TestHostOptions } from '@gatehouse/sdk/testing'
import type { Turn } from './evaluate.js'
import plugin from './index.js'

/** Rules for tests, in WebAssembly's text format. */

const IMPORTS: Readonly<Record<string, string>> = {
  input_read: '(param i32 i32 i32) (result i32)',
  output_write: '(param i32 i32)',
  log: '(param i32 i32 i32)',
  config_read: '(param i32 i32 i32 i32) (result i32)',
  kv_get: '(param i32 i32 i32 i32) (result i32)',
  kv_set: '(param i32 i32 i32 i32 i32) (result i32)',
  counter_add: '(param i32 i32 i32)',
}

/** What a rule may answer, and where it stands in its memory. */
interface Source {
  readonly answers: readonly JsonObject[]
  /** Texts that follow the answers; `$text0` and so on are their places. */
  readonly texts?: readonly string[]
  readonly imports?: readonly string[]
  /** `(call $say<n>)` answers the answer of that number. */
  readonly body: string
  readonly pages?: number
}

const BEGIN = 64
/** Where the input is read to. */
export const INPUT = 32_768

function assemble({ answers, texts = [], imports = [], body, pages = 8 }: Source): Uint8Array {
  let at = BEGIN
  const data: string[] = []
  const place = (text: string) => {
    const bytes = Buffer.from(text)
    const from = at
    data.push(
      `(data (i32.const ${from}) "${[...bytes].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')}")`,
    )
    at += bytes.length
    return [from, bytes.length] as const
  }
  const says = answers.map((answer, n) => {
    const [from, length] = place(JSON.stringify({ version: 1, ...answer }))
    return `(func $say${n} (call $output_write (i32.const ${from}) (i32.const ${length})))`
  })
  const globals = texts.map((text, n) => `(global $text${n} i32 (i32.const ${place(text)[0]}))`)
  const names = [...new Set(['output_write', 'input_read', ...imports])]
  const module = binaryen.parseText(`(module
    ${names.map((name) => `(import "extism:host/user" "${name}" (func $${name} ${IMPORTS[name] ?? ''}))`).join('\n')}
    (memory (export "memory") ${pages})
    ${data.join('\n')}
    ${globals.join('\n')}
    (global (export "gatehouse_rule_abi_1") i32 (i32.const 1))
    ${says.join('\n')}
    (func (export "evaluate") (result i32) (local $n i32) (local $i i32) (local $x i32)
      ${body}
      (i32.const 0)))`)
  module.setFeatures(binaryen.Features.BulkMemory | binaryen.Features.MutableGlobals | binaryen.Features.SignExt)
  try {
    return module.emitBinary()
  } finally {
    module.dispose()
  }
}

const artifacts = new Map<string, number>()

/** As core would keep it. */
export function artifact(
  source: Source,
  manifest: Readonly<Record<string, unknown>> = {},
  grants: JsonObject = {},
): Artifact {
  const bytes = assemble(source)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const name = String(manifest['name'] ?? 'test')
  const version = (artifacts.get(name) ?? 0) + 1
  artifacts.set(name, version)
  const whole = { name, version: '1.0.0', abi: 'gatehouse.rule/1', sha256, ...manifest } as JsonObject
  return { name, version, sha256, bytes, manifest: whole, grants, signedBy: null }
}

/** Always the same. */
export const saying = (answer: JsonObject, manifest?: Readonly<Record<string, unknown>>) =>
  artifact({ answers: [answer], body: '(call $say0)' }, manifest)

/** The first answer when the sign stands in what it sees, else the second. */
export const seeing = (
  sign: string,
  answers: readonly [JsonObject, JsonObject],
  manifest?: Readonly<Record<string, unknown>>,
) =>
  artifact(
    {
      answers,
      body: `(local.set $n (call $input_read (i32.const ${INPUT}) (i32.const 0) (i32.const 262144)))
        (block $out (loop $next
          (br_if $out (i32.ge_s (local.get $i) (local.get $n)))
          (if (i32.eq (i32.load8_u (i32.add (i32.const ${INPUT}) (local.get $i))) (i32.const ${sign.charCodeAt(0)}))
            (then (call $say0) (return (i32.const 0))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next)))
        (call $say1)`,
      pages: 16,
    },
    manifest,
  )

/** Writes and reads where no cache has it until its fuel is gone, which takes far longer than it may. */
export const hog = (manifest: Readonly<Record<string, unknown>> = {}) =>
  artifact(
    {
      answers: [{ verdict: 'pass' }],
      pages: 512,
      body: `(loop $next
        (local.set $x (i32.and (local.get $i) (i32.const 33554428)))
        (i32.store (local.get $x) (local.get $i))
        (local.set $i (i32.add (i32.mul (i32.add (local.get $i)
          (i32.load (i32.and (i32.mul (local.get $x) (i32.const 747796405)) (i32.const 33554428))))
          (i32.const 1103515245)) (i32.const 12345)))
        (br $next))`,
    },
    { name: 'hog', limits: { killMs: 10, deadlineMs: 5, memoryPages: 512 }, ...manifest },
    { memoryPages: 512 },
  )

/** Remembers how often it was asked, and blocks from the third time on. */
export const counting = (key = 'times') =>
  artifact(
    {
      answers: [{ verdict: 'pass' }, { verdict: 'block', reason: 'too often' }],
      texts: [key, 'aaaaaaaa'],
      imports: ['kv_get', 'kv_set'],
      body: `(local.set $n (call $kv_get (global.get $text0) (i32.const ${key.length}) (i32.const ${INPUT}) (i32.const 64)))
        (if (i32.lt_s (local.get $n) (i32.const 0)) (then (local.set $n (i32.const 0))))
        (if (i32.ge_s (local.get $n) (i32.const 2)) (then (call $say1) (return (i32.const 0))))
        (drop (call $kv_set (global.get $text0) (i32.const ${key.length}) (global.get $text1)
          (i32.add (local.get $n) (i32.const 1)) (i32.const 60)))
        (call $say0)`,
    },
    { name: 'counting', stateful: true, capabilities: ['kv'] },
  )

let ids = 0

/** A started plugin, with rules prepared in it. */
export interface Bench {
  readonly host: TestHost
  prepare(module: Artifact, parts?: Partial<PrepareRequest>): Promise<Turn>
  errors(module: Artifact | undefined, parts?: Partial<PrepareRequest>): Promise<readonly string[]>
  ask(
    turns: readonly Turn[],
    shown?: Partial<EvaluateRequest>,
    call?: Partial<HookCall>,
  ): Promise<readonly Evaluation[]>
  retire(turn: Turn): Promise<void>
}

export async function bench(config: unknown = { workers: 2 }, options: TestHostOptions = {}): Promise<Bench> {
  const host = await startPlugin(plugin, config, options)
  const prepare = (module: Artifact | undefined, parts: Partial<PrepareRequest>) => {
    ids += 1
    return host.askKeyed('engine.prepare', 'wasm', {
      config: { module: module?.name ?? 'none' },
      action: null,
      instance: null,
      rule: { id: `rule-${ids}`, name: `Rule ${ids}`, version: 1 },
      ...(module !== undefined && { artifact: module }),
      ...parts,
    })
  }
  return {
    host,
    async prepare(module, parts = {}) {
      const prepared = await prepare(module, parts)
      if (!prepared.ok) throw new Error(JSON.stringify(prepared.errors))
      return { rule: prepared.state as Turn['rule'], action: parts.action ?? null, shadow: false }
    },
    async errors(module, parts = {}) {
      const prepared = await prepare(module, parts)
      return prepared.ok ? [] : prepared.errors.map(({ path, message }) => `${path ?? ''} ${message}`)
    },
    async ask(turns, shown = {}, call = {}) {
      const [first, ...others] = turns
      const chain = turns.map(({ rule, action, shadow }) => {
        return { state: rule, rule: { id: rule.rule?.id ?? '', version: 1 }, action, shadow }
      })
      const request = { ...shownOf(shown), state: first?.rule, ...(others.length > 0 && { chain }), ...shown }
      const { rest = [], ...answered } = await host.askKeyed('engine.evaluate', 'wasm', request, call)
      return [answered, ...rest]
    },
    retire: ({ rule }) => host.askKeyed('engine.retire', 'wasm', { state: rule }),
  }
}

function shownOf({
  message = { name: 'echo', arguments: { text: 'hello' } },
}: Partial<EvaluateRequest>): Omit<EvaluateRequest, 'state'> {
  const text = String((message as { arguments?: { text?: unknown } }).arguments?.text ?? '')
  const leaves: readonly Leaf[] = [
    { kind: 'value', text },
    { kind: 'key', text: 'text' },
  ]
  return {
    pass: 0,
    leg: 'request',
    leaves,
    message,
    context: callContext(),
    header: () => undefined,
    keeps: true,
    rewrite: (texts) => ({ name: 'echo', arguments: { text: texts.get(0) ?? text } }),
  }
}

export const message = (text: string): JsonObject => ({ name: 'echo', arguments: { text } })
export const verdicts = (answers: readonly Evaluation[]) => answers.map(({ verdict }) => verdict)
