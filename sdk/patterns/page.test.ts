import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { patternTables } from './page.js'

const rows = (text: string) =>
  text
    .split('\n')
    .filter((line) => /^(?:## |\|)/.test(line) && !/^\|[ -|]*$/.test(line))
    .map((line) => line.replaceAll(/ +/g, ' '))

test('docs/patterns.md lists every pattern as the library has it', () => {
  const page = readFileSync(new URL('../../../docs/patterns.md', import.meta.url), 'utf8')
  const tables = page.slice(page.indexOf('## prompt-injection'))
  assert.equal(rows(tables), rows(patternTables()), 'run `node scripts/write-patterns-page.mjs`')
})

test.run()
