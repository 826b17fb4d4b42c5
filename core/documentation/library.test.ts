import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openLibrary, type Library } from './library.js'

let dir: string
let library: Library
test.before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gh-docs-'))
  await mkdir(join(dir, 'deep'))
  await writeFile(
    join(dir, 'a.md'),
    '# Walls\n\nAbout walls.\n\n## Gates\n\nA gate has a portcullis.\n\n## Moats\n\nWater.\n',
  )
  await writeFile(join(dir, 'deep', 'b.md'), '# Towers\n\nSee the portcullis from above.\n')
  await writeFile(join(dir, 'no-title.md'), 'Only text of a drawbridge.\n')
  await writeFile(join(dir, 'secret.txt'), 'portcullis\n')
  library = await openLibrary(dir)
})
test.after(() => rm(dir, { recursive: true }))

test('every page is there, in the order of its path, and nothing that is no page', () => {
  assert.equal(
    library.pages.map(({ path, title }) => [path, title]),
    [
      ['a.md', 'Walls'],
      ['deep/b.md', 'Towers'],
      ['no-title.md', 'no-title.md'],
    ],
  )
})

test('a page is found with and without its ending, and never outside', () => {
  assert.is(library.page('deep/b')?.title, 'Towers')
  assert.is(library.page('deep/b.md')?.title, 'Towers')
  for (const path of ['', '../a.md', '/etc/passwd', 'secret.txt', 'deep/../a.md', '__proto__'])
    assert.is(library.page(path), null, path)
})

test('a search leads to the section, best first, with the words in the excerpt', () => {
  const [first, second] = library.search('portcullis', 5)
  assert.equal([first?.path, second?.path].toSorted(), ['a.md', 'deep/b.md'])
  const gates = [first, second].find((hit) => hit?.path === 'a.md')
  assert.is(gates?.section, 'Gates')
  assert.match(gates?.excerpt ?? '', /portcullis/)
})

test('a heading weighs more than a text, and a slip of the pen is forgiven', () => {
  assert.is(library.search('moats', 1)[0]?.section, 'Moats')
  assert.is(library.search('portculis', 5).length, 2)
})

test('no more is given than was asked for, and nothing for nothing', () => {
  assert.is(library.search('portcullis', 1).length, 1)
  for (const query of ['', '   ', 'zzzzzzzz', '*', '((']) assert.equal(library.search(query, 5), [], query)
})

test.run()
