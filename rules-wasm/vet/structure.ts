import type { Module } from './module.js'
import type { Problem } from './problem.js'
import { FUEL_EXPORT } from './exports.js'

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
