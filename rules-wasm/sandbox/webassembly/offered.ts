import type { RuleManifest } from '@gatehouse/sdk/rule-abi'
import { RULE_HOST_FUNCTIONS, RULE_HOST_MODULE, type RuleCapability } from '@gatehouse/sdk/rule-limits'
import type { HostFunction } from '@gatehouse/rule-vet'
import { WASI_FUNCTIONS, WASI_MODULE } from '../wasi.js'
import { EXTISM_MODULE } from './extism-functions.js'

interface Offered {
  readonly params: readonly ('i32' | 'i64')[]
  readonly results: readonly ('i32' | 'i64')[]
  readonly capability: RuleCapability | null
}

const loads = { params: ['i64'], capability: null } as const
const logs = { params: ['i64'], results: [], capability: 'log' } as const

/** What of Extism's environment a rule may import. Its variables and HTTP are not offered. */
export const EXTISM_FUNCTIONS = {
  alloc: { ...loads, results: ['i64'] },
  free: { ...loads, results: [] },
  length: { ...loads, results: ['i64'] },
  length_unsafe: { ...loads, results: ['i64'] },
  load_u8: { ...loads, results: ['i32'] },
  load_u64: { ...loads, results: ['i64'] },
  store_u8: { params: ['i64', 'i32'], results: [], capability: null },
  store_u64: { params: ['i64', 'i64'], results: [], capability: null },
  input_offset: { params: [], results: ['i64'], capability: null },
  input_length: { params: [], results: ['i64'], capability: null },
  input_load_u8: { ...loads, results: ['i32'] },
  input_load_u64: { ...loads, results: ['i64'] },
  output_set: { params: ['i64', 'i64'], results: [], capability: null },
  error_set: { ...loads, results: [] },
  config_get: { params: ['i64'], results: ['i64'], capability: 'config' },
  log_trace: logs,
  log_debug: logs,
  log_info: logs,
  log_warn: logs,
  log_error: logs,
  get_log_level: { params: [], results: ['i32'], capability: null },
} as const satisfies Readonly<Record<string, Offered>>

/** What this module may import: all that is always there, what its capabilities open, and the stub of WASI if it was granted. */
export function offeredTo({ capabilities, wasiStub }: RuleManifest): readonly HostFunction[] {
  const of = (module: string, functions: Readonly<Record<string, Offered>>): HostFunction[] =>
    Object.entries(functions)
      .filter(([, { capability }]) => capability === null || capabilities.includes(capability))
      .map(([name, { params, results }]) => ({ module, name, params, results }))
  const stub = wasiStub ? of(WASI_MODULE, WASI_FUNCTIONS) : []
  return [...of(EXTISM_MODULE, EXTISM_FUNCTIONS), ...of(RULE_HOST_MODULE, RULE_HOST_FUNCTIONS), ...stub]
}

/** What to do about an import that is refused. */
export function adviseOn(module: string, name: string): string {
  if (name.startsWith('var_')) return 'nothing is kept between calls but by kv_get and kv_set, with the capability "kv"'
  if (name.startsWith('http_')) return 'a rule reaches no network'
  if (module.startsWith('wasi')) return 'the manifest must say "wasiStub": true, and the operator must grant it'
  if (module === 'env') return 'build without an environment: no imported memory, and an abort of your own'
  const functions: Readonly<Record<string, Offered>> = { ...EXTISM_FUNCTIONS, ...RULE_HOST_FUNCTIONS }
  const capability = Object.hasOwn(functions, name) ? functions[name]?.capability : null
  if (capability != null) return `the manifest's "capabilities" must have "${capability}"`
  return `import of ${EXTISM_MODULE} and ${RULE_HOST_MODULE} alone`
}
