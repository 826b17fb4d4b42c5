import type { ValueType } from './module.js'

/** A function that the host offers. A module that imports it with another type is refused. */
export interface HostFunction {
  readonly module: string
  readonly name: string
  readonly params: readonly ValueType[]
  readonly results: readonly ValueType[]
}

/** What a module may be and take. */
export interface Policy {
  readonly moduleBytes: number
  /** Pages of 64 KiB. */
  readonly memoryPages: number
  /** Of each table. */
  readonly tableElements: number
  readonly imports: readonly HostFunction[]
  /** Functions that must be exported. */
  readonly entryPoints: readonly string[]
  /** Whether a start function may run at instantiation. It is metered as all else. */
  readonly start: boolean
  readonly simd: boolean
}

/** The default limits of rules. No import is allowed: the host names what it offers. */
export const defaultPolicy: Policy = {
  moduleBytes: 1024 * 1024,
  memoryPages: 64,
  tableElements: 10_000,
  imports: [],
  entryPoints: ['evaluate'],
  start: true,
  simd: true,
}
