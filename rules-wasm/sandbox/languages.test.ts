import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RuleManifest } from '@gatehouse/sdk/rule-abi'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { buildRule, runVectors } from './index.js'
import type { RuleBundle } from './types.js'

const test = suite('rules in other languages')
const place = join(import.meta.dirname, '..', '..')
const goGrants = { wasiStub: true, moduleBytes: 4_194_304 }

/** The manifest of a folder around these bytes, with the vectors beside it. */
function bundleOf(folder: string, bytes: Uint8Array, grants: RuleBundle['grants'] = {}): RuleBundle {
  const tests = join(folder, 'tests')
  const vectors = readdirSync(tests).flatMap((name) => JSON.parse(readFileSync(join(tests, name), 'utf8')) as unknown[])
  const written = JSON.parse(readFileSync(join(folder, 'rule.json'), 'utf8').replaceAll('{{name}}', 'tried')) as object
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { bytes, grants, manifest: RuleManifest.parse({ ...written, sha256, vectors }) }
}

async function passes(bundle: RuleBundle): Promise<void> {
  const built = await buildRule(bundle)
  if (!built.ok) throw new Error(built.problems.map(({ message }) => message).join('\n'))
  const results = await runVectors(built.module)
  assert.ok(results.length >= 3)
  for (const { name, ok, problem, ran } of results) {
    assert.ok(ok, `${name}: ${problem}`)
    assert.ok(ran.memoryPages <= built.module.limits.memoryPages, name)
  }
}

for (const name of ['javascript-row-limit'])
  test(`${name} does what its vectors say`, () => {
    const folder = join(place, 'examples', name)
    return passes(bundleOf(folder, readFileSync(join(folder, `${name}.js`))))
  })

test('the template in JavaScript does what its vectors say', () => {
  const folder = join(place, 'templates', 'javascript')
  return passes(bundleOf(folder, readFileSync(join(folder, 'rule.js'))))
})

test('a rule in Go runs on the stub, in the memory of every rule', () => {
  const folder = join(place, 'examples', 'go-url-allow-list')
  return passes(bundleOf(folder, readFileSync(join(folder, 'go-url-allow-list.wasm')), goGrants))
})

test('a rule in Go is refused without its grants', async () => {
  const folder = join(place, 'examples', 'go-url-allow-list')
  const bytes = readFileSync(join(folder, 'go-url-allow-list.wasm'))
  for (const grants of [{}, { wasiStub: true }, { moduleBytes: 4_194_304 }])
    assert.is((await buildRule(bundleOf(folder, bytes, grants))).ok, false)
})

test('the example in Go has the library of the template', () => {
  const libraryOf = (...parts: readonly string[]) => join(place, ...parts, 'rule')
  for (const name of readdirSync(libraryOf('templates', 'go'))) {
    const read = (library: string) => readFileSync(join(library, name), 'utf8')
    assert.is(read(libraryOf('examples', 'go-url-allow-list')), read(libraryOf('templates', 'go')), name)
  }
})

const goes = versionOfGo()
const testOfGo = goes === null ? test.skip : test

testOfGo(
  `the template in Go does what its vectors say (${goes ?? 'skipped: Go 1.24 or later is not here'})`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-go-'))
    try {
      cpSync(join(place, 'templates', 'go'), folder, { recursive: true })
      for (const file of ['go.mod', 'main.go']) {
        const path = join(folder, file)
        writeFileSync(path, readFileSync(path, 'utf8').replaceAll('{{name}}', 'tried'))
      }
      const flags = [
        '-buildmode=c-shared',
        '-trimpath',
        '-buildvcs=false',
        '-ldflags=-s -w -buildid=',
        '-o',
        'tried.wasm',
        '.',
      ]
      execFileSync('go', ['build', ...flags], { cwd: folder, env: { ...process.env, GOOS: 'wasip1', GOARCH: 'wasm' } })
      await passes(bundleOf(folder, readFileSync(join(folder, 'tried.wasm')), goGrants))
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)

function versionOfGo(): string | null {
  try {
    const told = execFileSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' }).trim()
    const [, minor = '0'] = /^go1\.(\d+)/.exec(told) ?? []
    return Number(minor) >= 24 ? told : null
  } catch {
    return null
  }
}

test.run()
