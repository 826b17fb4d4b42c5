export interface LineSplitter {
  push(chunk: Buffer): void
}

export interface LineSplitterOptions {
  /** Most bytes of one line; `onOverflow` is called once and nothing is told after it. */
  readonly limit: number
  readonly onLine: (line: string, bytes: number) => void
  readonly onOverflow: () => void
}

/** Cuts bytes at line feeds, so that no character is ever torn. Empty lines and a trailing CR are dropped. */
export function createLineSplitter({ limit, onLine, onOverflow }: LineSplitterOptions): LineSplitter {
  let parts: Buffer[] = []
  let size = 0
  let overflown = false

  function tell(last: Buffer): void {
    const line = parts.length === 0 ? last : Buffer.concat([...parts, last])
    parts = []
    size = 0
    const text = line.toString('utf8').trimEnd()
    if (text !== '') onLine(text, line.length + 1)
  }

  return {
    push(chunk) {
      let start = 0
      for (let end = chunk.indexOf(10); end >= 0 && !overflown; end = chunk.indexOf(10, start)) {
        if (size + end - start > limit) break
        tell(chunk.subarray(start, end))
        start = end + 1
      }
      if (overflown) return
      size += chunk.length - start
      if (size <= limit) return void (start < chunk.length && parts.push(chunk.subarray(start)))
      overflown = true
      parts = []
      onOverflow()
    },
  }
}
