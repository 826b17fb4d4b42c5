import type { House, Part } from './house.js'

/** A house of the parts that a test puts in. */
export function emptyHouse(): House {
  const parts = new Map<symbol, unknown>()
  const house: House = {
    get<T>(wanted: Part<T>): T {
      if (!parts.has(wanted.name)) throw new Error(`nobody put ${String(wanted.name)} into the house`)
      return parts.get(wanted.name) as T
    },
    put: (name, value) => void parts.set(name.name, value),
    make: (name, how) => void parts.set(name.name, how(house)),
  }
  return house
}
