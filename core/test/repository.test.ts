import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse as parseYaml } from 'yaml'
import { problemsOf, writePath } from '../configuration/problems.js'
import { File } from '../configuration/schemas.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

/** The pages that people read: those of the root, of `docs/` and the README of each folder. */
function pages(folder = root): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name.startsWith('.')) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return pages(path)
    return entry.name.endsWith('.md') ? [relative(root, path)] : []
  })
}

const withoutCode = (text: string) => text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, 'x')

/** As the common renderers make it from a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-')

function brokenLinks(page: string): string[] {
  const links = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? join(root, page) : resolve(join(root, dirname(page)), path)
    if (!existsSync(target)) return true
    if (anchor === undefined) return false
    const headings = [...readFileSync(target, 'utf8').matchAll(/^#{1,6} +(.+)$/gm)].map(([, text = '']) => text)
    return !headings.map(anchorOf).includes(anchor)
  })
}

/** Rows that have more or fewer cells than the head of their table: mostly two lines that a merge ran into one. */
function crookedRows(page: string): string[] {
  const lines = withoutCode(read(page)).split('\n')
  const cells = (line: string) => (line.startsWith('|') ? [...line.matchAll(/(?<!\\)\|/g)].length : 0)
  return lines.filter(
    (line, n) => cells(line) > 0 && cells(lines[n - 1] ?? '') > 0 && cells(line) !== cells(lines[n - 1] ?? ''),
  )
}

test('every row of every table has the cells of its head', () => {
  const crooked = pages().flatMap((page) => crookedRows(page).map((row) => `${page}: ${row.slice(0, 80)}`))
  assert.equal(crooked, [])
})

test('every link of every page leads somewhere', () => {
  const broken = pages().flatMap((page) => brokenLinks(page).map((link) => `${page}: ${link}`))
  assert.equal(broken, [])
})

test('the index of the documentation names every page', () => {
  const index = read('docs/README.md')
  const missing = readdirSync(join(root, 'docs')).filter((name) => name !== 'README.md' && !index.includes(name))
  assert.equal(missing, [])
})

/** What of a page is written to be a file of the gateway, or a part of one. */
function yamlFiles(page: string): unknown[] {
  const blocks = [...read(page).matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(
    ([, text = '']) => parseYaml(text) as unknown,
  )
  const keys = new Set(Object.keys(File.shape))
  const isFile = (block: unknown) => block instanceof Object && Object.keys(block).some((key) => keys.has(key))
  return blocks.filter(isFile)
}

test('every file that a page shows is one that the gateway would read', () => {
  const kinds = /^(bedrock|lakera|model-armor|pii|presidio|regex|secrets|webhook)$/
  const faults = pages().flatMap((page) =>
    yamlFiles(page).flatMap((block) => {
      const parsed = File.safeParse({ version: 1, ...(block as object) })
      const problems = parsed.success
        ? []
        : problemsOf(parsed.error.issues).map(({ path, message }) => `${writePath(path)}: ${message}`)
      const engines = parsed.success ? Object.keys(parsed.data.engines ?? {}) : []
      const named = engines.filter((name) => kinds.test(name)).map((name) => `engine '${name}' is called like a kind`)
      return [...problems, ...named].map((problem) => `${page}: ${problem}`)
    }),
  )
  assert.equal(faults, [])
})

test('the image is built from every workspace', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, unknown> }
  const workspaces = Object.keys(packages).filter((path) => path !== '' && !path.includes('node_modules/'))
  assert.ok(workspaces.includes('core'))
  const dockerfile = read('docker/Dockerfile')
  const missing = workspaces.filter((path) => !dockerfile.includes(`COPY ${path}/package.json ${path}/\n`))
  assert.equal(missing, [])
})

test.run()
