import { createHash } from 'node:crypto'
import { decode } from './decode.js'
import { checkStructure } from './structure.js'
import type { Export, Extent, FunctionType, Import, Kind, Limits, Module } from './module.js'
import type { Policy } from './policy.js'
import type { Problem } from './problem.js'
import { ModuleRefusal } from './refusal.js'

export interface Size {
  readonly initial: number
  /** The lower of what the module and the policy say: what the metered module has. */
  readonly maximum: number
}

export interface Facts {
  /** Of the bytes as they were given, in hexadecimal. */
  readonly sha256: string
  readonly bytes: number
  readonly imports: readonly { readonly module: string; readonly name: string }[]
  /** Of functions with their types. */
  readonly exports: readonly { readonly name: string; readonly kind: Kind; readonly type?: FunctionType }[]
  /** The versions of the rule ABI that it speaks, by its exports `gatehouse_rule_abi_<n>`. */
  readonly abi: readonly number[]
  /** In pages of 64 KiB. */
  readonly memory?: Size
  readonly tables: readonly Size[]
  /** Without imported ones. */
  readonly functions: number
  readonly start: boolean
  readonly simd: boolean
  /** Around all that segments of data write to the memory at instantiation; null where the module alone does not tell. */
  readonly data: Extent | null
}

export type Vetted =
  { readonly ok: true; readonly facts: Facts } | { readonly ok: false; readonly problems: readonly Problem[] }

/** Says whether a module may be run under a policy. Never throws, whatever the bytes are. */
export function vet(bytes: Uint8Array, policy: Policy): Vetted {
  if (bytes.length > policy.moduleBytes)
    return { ok: false, problems: [{ message: `has ${bytes.length} bytes, more than ${policy.moduleBytes}` }] }
  try {
    const module = decode(bytes)
    const problems = [...checkStructure(module, policy), ...checkPolicy(module, policy)]
    if (problems.length > 0) return { ok: false, problems }
    if (WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>)) return { ok: true, facts: factsOf(module, policy) }
    return { ok: false, problems: [{ message: 'is not valid WebAssembly: types or indices in its code are wrong' }] }
  } catch (error) {
    if (!(error instanceof ModuleRefusal)) throw error
    return { ok: false, problems: [{ message: error.reason, offset: error.offset }] }
  }
}

function checkPolicy(module: Module, policy: Policy): Problem[] {
  const { imports, exports, start, usesSimd } = module
  return [
    ...imports.flatMap((entry) => checkImport(entry, module, policy)),
    ...exports.flatMap((entry) => checkExport(entry, module)),
    ...policy.entryPoints
      .filter((name) => !exports.some((entry) => entry.name === name && entry.kind === 'function'))
      .map((name) => ({ message: `exports no function ${quote(name)}` })),
    ...(start !== undefined && !policy.start
      ? [{ message: 'has a start function, which is not allowed', offset: start.start }]
      : []),
    ...(usesSimd && !policy.simd ? [{ message: 'uses SIMD, which is not allowed' }] : []),
  ]
}

function checkImport({ module, name, kind, type, start }: Import, { types }: Module, policy: Policy): Problem[] {
  const what = `${quote(module)} ${quote(name)}`
  // The structure's check tells of these.
  if (kind !== 'function') return []
  const offered = policy.imports.find((entry) => entry.module === module && entry.name === name)
  if (offered === undefined || isPrototypeName(module) || isPrototypeName(name))
    return [{ message: `imports ${what}, which is not offered`, offset: start }]
  const asked = types[type ?? -1]
  if (asked !== undefined && write(asked) === write(offered)) return []
  return [{ message: `imports ${what} with another type than ${write(offered)}`, offset: start }]
}

function checkExport({ name, kind, index, start }: Export, { globals }: Module): Problem[] {
  if (isPrototypeName(name)) return [{ message: `exports ${quote(name)}, a name of every object`, offset: start }]
  if (!abiName.test(name)) return []
  if (kind === 'function' || (kind === 'global' && globals[index]?.isMutable === false)) return []
  return [{ message: `exports ${quote(name)} that is no function or constant`, offset: start }]
}

const abiName = /^gatehouse_rule_abi_([1-9]\d{0,3})$/

function isPrototypeName(name: string): boolean {
  return name in Object.prototype || name === 'prototype'
}

const write = ({ params, results }: FunctionType): string => `(${params.join(' ')}) -> (${results.join(' ')})`

/** Names are the author's: control signs are escaped, and long ones cut. */
function quote(name: string): string {
  const cut = name.length > 64 ? `${name.slice(0, 64)}...` : name
  return JSON.stringify(cut).replaceAll(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '?')
}

function factsOf(module: Module, policy: Policy): Facts {
  const { bytes, types, imports, exports, memories, tables, functions, importedFunctions, start, usesSimd, data } =
    module
  const [memory] = memories
  return {
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.length,
    imports: imports.map(({ module: from, name }) => ({ module: from, name })),
    exports: exports.map(({ name, kind, index }) => {
      const type = kind === 'function' ? types[functions[index] ?? -1] : undefined
      return { name, kind, ...(type && { type }) }
    }),
    abi: exports.flatMap(({ name }) => abiName.exec(name)?.slice(1).map(Number) ?? []).toSorted((a, b) => a - b),
    ...(memory && { memory: sizeOf(memory, policy.memoryPages) }),
    tables: tables.map((table) => sizeOf(table, policy.tableElements)),
    functions: functions.length - importedFunctions,
    start: start !== undefined,
    simd: usesSimd,
    data,
  }
}

function sizeOf({ initial, maximum = Infinity }: Limits, cap: number): Size {
  return { initial, maximum: Math.min(maximum, cap) }
}
