import type { Module } from './module.js'
import type { Problem } from './problem.js'

/** Under these names a metered module that can be put back as it was exports what that takes; to the last, a number is added. */
export const RESTORE_EXPORTS = {
  memory: 'gatehouse_fuel_memory',
  low: 'gatehouse_fuel_low',
  span: 'gatehouse_fuel_span',
  /** Pages, as the module sees them; the memory itself has all that it may have. */
  size: 'gatehouse_fuel_size',
  variable: 'gatehouse_fuel_variable_',
} as const

/** Under this name the metered module exports its fuel. No export of a module may begin like it. */
export const FUEL_EXPORT = 'gatehouse_fuel'

export interface Caps {
  /** Pages of 64 KiB. */
  readonly memoryPages: number
  /** Of each table. */
  readonly tableElements: number
}

/** What metering cannot hold: things from outside that would not be counted or capped, and sizes over the caps. */
export function checkStructure(module: Module, caps: Caps): Problem[] {
  const { imports, exports, memories, tables, types } = module
  const problems: Problem[] = []
  for (const { kind, type, start } of imports) {
    const { params = [], results = [] } = types[type ?? -1] ?? {}
    if (kind !== 'function')
      problems.push({ message: `imports a ${kind}; functions alone can be imported`, offset: start })
    // Who is handed a function as a value could call the host without paying for it.
    else if ([...params, ...results].some((value) => value.endsWith('ref')))
      problems.push({ message: 'imports a function that takes or gives references', offset: start })
  }
  for (const { name, start } of exports) {
    if (!name.startsWith(FUEL_EXPORT)) continue
    problems.push({ message: `exports a name that begins with ${FUEL_EXPORT}, which is reserved`, offset: start })
  }
  for (const { initial, start } of memories) {
    if (initial <= caps.memoryPages) continue
    problems.push({ message: `has a memory of ${initial} pages, more than ${caps.memoryPages}`, offset: start })
  }
  for (const { initial, start } of tables) {
    if (initial <= caps.tableElements) continue
    problems.push({ message: `has a table of ${initial} elements, more than ${caps.tableElements}`, offset: start })
  }
  return problems
}
