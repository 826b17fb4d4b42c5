import { readFileSync, writeFileSync } from 'node:fs'
import * as assert from 'uvu/assert'

/** A table as prettier writes it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, n) => Math.max(3, title.length, ...rows.map((row) => row[n]?.length ?? 0)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}

/**
 * The document at `url` is what the code says. A test file that is run with the word `write` writes it anew:
 * `node core/dist/errors.test.js write`.
 */
export function assertDocument(url: URL, text: string): void {
  if (process.argv[2] === 'write') writeFileSync(url, text)
  assert.fixture(readFileSync(url, 'utf8'), text, `${url.pathname} is stale: run this test file with the word write`)
}
