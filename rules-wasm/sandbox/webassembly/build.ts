import { createHash } from 'node:crypto'
import { type Facts, meter, METER_VERSION, ModuleRefusal, type Policy, vet } from '@gatehouse/rule-vet'
import { RULE_LIMITS } from '@gatehouse/sdk/rule-limits'
import type { Built, Limits, Problem, RuleBundle, RuleModule } from '../types.js'
import { meterOf } from '../patterns.js'
import { adviseOn, offeredTo } from './offered.js'

/** Vets, meters and compiles a module of WebAssembly. Never throws for what the module is. */
export async function buildWebAssembly(bundle: RuleBundle, limits: Limits): Promise<Built> {
  const { bytes, manifest } = bundle
  const policy: Policy = {
    moduleBytes: limits.moduleBytes,
    memoryPages: limits.memoryPages,
    tableElements: RULE_LIMITS.tableElements,
    imports: offeredTo(manifest),
    entryPoints: [],
    start: true,
    simd: true,
  }
  const vetted = vet(bytes, policy)
  if (!vetted.ok) return { ok: false, problems: vetted.problems.map(withAdvice) }
  const missing = checkContract(vetted.facts)
  if (missing.length > 0) return { ok: false, problems: missing }
  const metered = meterOrTell(bytes, policy, limits)
  if ('message' in metered) return { ok: false, problems: [metered] }
  const code = await WebAssembly.compile(metered.bytes as Uint8Array<ArrayBuffer>)
  const facts = {
    ...factsOf(vetted.facts),
    meteredBytes: metered.bytes.length,
    meter: meterOf(manifest, METER_VERSION),
  }
  const wasiStub = manifest.wasiStub && bundle.grants.wasiStub === true
  const made = { language: 'wasm', sha256: digest(bytes), code, data: vetted.facts.data } as const
  return { ok: true, module: { ...made, manifest, limits, wasiStub, facts } }
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

function meterOrTell(bytes: Uint8Array, policy: Policy, { fuel }: Limits): { readonly bytes: Uint8Array } | Problem {
  const { memoryPages, tableElements } = policy
  try {
    return { bytes: meter(bytes, { memoryPages, tableElements, startFuel: BigInt(fuel), restore: true, steady: true }) }
  } catch (error) {
    if (!(error instanceof ModuleRefusal)) throw error
    return { message: error.reason, offset: error.offset }
  }
}

/** What a rule exports, by its contract. */
function checkContract({ abi, exports }: Facts): Problem[] {
  const problems: Problem[] = []
  const entry = exports.find(({ name }) => name === 'evaluate')?.type
  if (entry?.params.length !== 0 || entry.results.join() !== 'i32')
    problems.push({ message: 'exports no function "evaluate" of the type "() -> i32": a rule is asked by it' })
  if (!abi.includes(1))
    problems.push({ message: 'does not export "gatehouse_rule_abi_1", a function or constant that names its contract' })
  if (!exports.some(({ kind }) => kind === 'memory'))
    problems.push({ message: 'exports no memory: export one as "memory"' })
  return problems
}

function withAdvice({ message, offset }: { readonly message: string; readonly offset?: number }): Problem {
  const names = /^imports "([^"]*)" "([^"]*)", which is not offered$/.exec(message)
  const advice =
    names !== null ? adviseOn(names[1] ?? '', names[2] ?? '') : message.startsWith('has a memory of') && MORE
  const told = advice === false ? message : `${message}; ${advice}`
  return { message: told, ...(offset !== undefined && { offset }) }
}

const MORE = 'start with less, or ask for as many in the manifest ("limits": "memoryPages") and have them granted'

function factsOf(facts: Facts): RuleModule['facts'] {
  const { bytes, imports, exports, memory, functions } = facts
  return {
    bytes,
    functions,
    imports: imports.map(({ module, name }) => `${module} ${name}`),
    exports: exports.map(({ name }) => name),
    ...(memory && { memoryPages: memory.initial, mostMemoryPages: memory.maximum }),
  }
}
