import type { JsonObject } from '@gatehouse/sdk'
import { neighbourhoodOf } from './neighbourhood.js'
import type { NamedFeature } from './neighbourhood.js'
import { scan } from './scan.js'
import type { ScanOptions } from './scan.js'
import type { Check, Scan } from './types.js'

export interface Scene {
  readonly neighbours?: readonly string[]
  readonly siblings?: readonly string[]
  readonly off?: ScanOptions['off']
}

/** A tool among others, scanned. */
export function scanTool(definition: JsonObject, { neighbours = [], siblings = [], off = [] }: Scene = {}): Scan {
  const tools = (names: readonly string[]): NamedFeature[] => names.map((name) => ({ kind: 'tool', name }))
  const around = { siblings: tools(siblings), neighbours: neighbourhoodOf(tools(neighbours)) }
  return scan({ kind: 'tool', definition, ...around }, { off })
}

export function checksOf({ suspicions }: Scan): Check[] {
  return [...new Set(suspicions.map(({ check }) => check))]
}
