import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { table } from '../test/markdown.js'
import { CAPABILITIES, CAPABILITY_TABLE, holds } from './capabilities.js'

const PAGE = new URL('../../../docs/identity.md', import.meta.url)
const SECTION = /(?<=## Capabilities\n[^|]*)(?:\|.*\n)+/

test('docs/identity.md says what the table says', () => {
  const rows = CAPABILITY_TABLE.map(({ key, label, group, description }) => [group, label, `\`${key}\``, description])
  const wanted = `${table(['group', 'capability', 'key', 'allows'], rows)}\n`
  const page = readFileSync(PAGE, 'utf8')
  // `node core/dist/domain/capabilities.test.js write` writes it anew.
  if (process.argv[2] === 'write') writeFileSync(PAGE, page.replace(SECTION, wanted))
  assert.fixture(SECTION.exec(readFileSync(PAGE, 'utf8'))?.[0] ?? '', wanted)
})

test('every capability has a label, a group and a description of its own, and the groups stand together', () => {
  for (const field of ['key', 'label', 'description'] as const)
    assert.is(new Set(CAPABILITY_TABLE.map((entry) => entry[field])).size, CAPABILITY_TABLE.length, field)
  const groups = CAPABILITY_TABLE.map(({ group }) => group).filter((group, n, all) => group !== all[n - 1])
  assert.is(groups.length, new Set(groups).size)
  assert.is(groups.length, 10)
})

test('a star holds every capability', () => {
  for (const key of CAPABILITIES) assert.ok(holds(new Set(['*']), key))
  assert.not.ok(holds(new Set(['managePeople']), 'viewReports'))
})

test.run()
