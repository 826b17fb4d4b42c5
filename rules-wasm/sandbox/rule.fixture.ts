import { createHash } from 'node:crypto'
import binaryen from 'binaryen'
import { RuleManifest } from '@gatehouse/sdk/rule-abi'
import { buildRule, encodeInput, inputOf, openRule } from './index.js'
import type { OpenRule, Ran, RuleBundle, RuleModule } from './types.js'

const { BulkMemory, BulkMemoryOpt, ReferenceTypes, MutableGlobals, SIMD128, SignExt, NontrappingFPToInt } =
  binaryen.Features

/** The bytes of a module in WebAssembly's text format. */
export function assemble(wat: string): Uint8Array {
  const module = binaryen.parseText(wat)
  module.setFeatures(
    BulkMemory | BulkMemoryOpt | ReferenceTypes | MutableGlobals | SIMD128 | SignExt | NontrappingFPToInt,
  )
  try {
    return module.emitBinary()
  } finally {
    module.dispose()
  }
}

/** Imports by name, with their types. */
const IMPORTS: Readonly<Record<string, string>> = {
  input_read: '(param i32 i32 i32) (result i32)',
  output_write: '(param i32 i32)',
  log: '(param i32 i32 i32)',
  config_read: '(param i32 i32 i32 i32) (result i32)',
  kv_get: '(param i32 i32 i32 i32) (result i32)',
  kv_set: '(param i32 i32 i32 i32 i32) (result i32)',
  kv_delete: '(param i32 i32)',
  regex_match: '(param i32 i32 i32 i32 i32 i32) (result i32)',
  counter_add: '(param i32 i32 i32)',
}

export interface Parts {
  /** Names of our host functions. */
  readonly imports?: readonly string[]
  /** Of the module, beside those of the contract. */
  readonly parts?: string
  /** Of `evaluate`, which answers 0 behind it. */
  readonly body: string
  readonly memory?: string
}

/** At 16 stands the answer `pass`, 31 bytes long. */
export const PASS = '(call $output_write (i32.const 16) (i32.const 31))'

/** A module by the contract around a body. */
export function wat({ imports = [], parts = '', body, memory = '(memory (export "memory") 2)' }: Parts): string {
  const names = [...new Set(['output_write', ...imports])]
  return `(module
    ${names.map((name) => `(import "extism:host/user" "${name}" (func $${name} ${IMPORTS[name] ?? ''}))`).join('\n')}
    ${memory}
    (data (i32.const 16) "{\\"version\\":1,\\"verdict\\":\\"pass\\"} ")
    (global (export "gatehouse_rule_abi_1") i32 (i32.const 1))
    ${parts}
    (func (export "evaluate") (result i32) (local $n i32) (local $m i32) (local $l i64)
      ${body}
      (i32.const 0)))`
}

export type ManifestParts = Partial<Omit<RuleManifest, 'sha256' | 'language'>>

export function manifestOf(bytes: Uint8Array, parts: Readonly<Record<string, unknown>> = {}): RuleManifest {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return RuleManifest.parse({ name: 'test', version: '1', abi: 'gatehouse.rule/1', sha256, ...parts })
}

export interface Options {
  readonly manifest?: Readonly<Record<string, unknown>>
  readonly grants?: RuleBundle['grants']
  readonly ceilings?: RuleBundle['ceilings']
  readonly config?: Readonly<Record<string, string>>
}

export async function build(text: string | Uint8Array, options: Options = {}): Promise<RuleModule> {
  const bytes = typeof text === 'string' ? assemble(text) : text
  const { grants = {}, ceilings = {} } = options
  const built = await buildRule({ bytes, manifest: manifestOf(bytes, options.manifest), grants, ceilings })
  if (!built.ok) throw new Error(built.problems.map(({ message }) => message).join('\n'))
  return built.module
}

export async function open(text: string | Uint8Array, options: Options = {}): Promise<OpenRule> {
  return openRule(await build(text, options), options.config ?? {})
}

/** What is wrong with a module. */
export async function problemsOf(text: string | Uint8Array, options: Options = {}): Promise<string> {
  const bytes = typeof text === 'string' ? assemble(text) : text
  const { grants = {}, ceilings = {} } = options
  const built = await buildRule({ bytes, manifest: manifestOf(bytes, options.manifest), grants, ceilings })
  return built.ok ? 'none' : built.problems.map(({ message, path }) => `${path ?? ''} ${message}`.trim()).join('\n')
}

export const honest: Uint8Array = encodeInput(inputOf({ message: { name: 'echo' } }), ['message'])

export function run(
  rule: OpenRule,
  input: Uint8Array | string = honest,
  kv: Readonly<Record<string, string>> | null = null,
): Promise<Ran> {
  const bytes = typeof input === 'string' ? new TextEncoder().encode(input) : input
  return rule.run({ input: bytes, kv: kv === null ? null : new Map(Object.entries(kv)) })
}
