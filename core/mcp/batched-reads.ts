/** Answers the row of a key, or null. */
export type ReadOne<Row> = (key: string) => Promise<Row | null>

interface Batch<Row> {
  readonly keys: Set<string>
  readonly rows: Promise<ReadonlyMap<string, Row>>
  readonly send: (rows: Promise<ReadonlyMap<string, Row>>) => void
}

/** Most statements under way; what is asked for meanwhile waits for one to end, and goes as one. */
const MOST = 4

/**
 * Reads that are asked for in one turn of the event loop go as one statement. Nobody shares a statement that was sent before
 * they asked: it may be older than what they know of.
 */
export function batchReads<Row extends { readonly hash: string }>(
  read: (keys: readonly string[]) => Promise<readonly Row[]>,
): ReadOne<Row> {
  let batch: Batch<Row> | null = null
  let running = 0

  const send = (): void => {
    if (batch === null || running >= MOST) return
    const { keys, send: settle } = batch
    batch = null
    running += 1
    const done = () => {
      running -= 1
      send()
    }
    settle(
      read([...keys])
        .then(byHash)
        .finally(done),
    )
  }
  const open = (): Batch<Row> => {
    let settle: Batch<Row>['send'] = () => undefined
    const rows = new Promise<ReadonlyMap<string, Row>>((resolve) => (settle = resolve))
    setImmediate(send)
    return { keys: new Set(), rows, send: settle }
  }

  return async (key) => {
    batch ??= open()
    batch.keys.add(key)
    return (await batch.rows).get(key) ?? null
  }
}

const byHash = <Row extends { readonly hash: string }>(rows: readonly Row[]): ReadonlyMap<string, Row> =>
  new Map(rows.map((row) => [row.hash, row]))
