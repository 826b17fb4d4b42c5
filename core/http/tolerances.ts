/** A fault of a client that is borne: named, so that an operator can look it up. */
export interface Tolerated {
  /** `legacy-header`: a modern body under the header of an older version. `other-version`: not the one that was agreed on. */
  readonly tolerance: 'legacy-header' | 'other-version'
  readonly connectionId: string
  readonly client: string | null
}

const MOST_KNOWN = 10_000

/** Tells of each fault of each connection once. */
export function createTolerances(tell: (fault: Tolerated) => void): (fault: Tolerated) => void {
  const told = new Set<string>()
  return (fault) => {
    const name = `${fault.tolerance} ${fault.connectionId}`
    if (told.has(name)) return
    if (told.size >= MOST_KNOWN) told.clear()
    told.add(name)
    tell(fault)
  }
}
