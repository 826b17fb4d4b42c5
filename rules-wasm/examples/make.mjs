// Makes the prebuilt modules of examples anew, with their manifests: node rules-wasm/examples/make.mjs [NAME...]
// Build the repository first (npx tsc -b).
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))
const gatehouse = fileURLToPath(new URL('../../core/bin/gatehouse.mjs', import.meta.url))
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))
const prettier = fileURLToPath(new URL('../../node_modules/prettier/bin/prettier.cjs', import.meta.url))
const all = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'build.json')))

for (const name of process.argv.length > 2 ? process.argv.slice(2) : all) {
  const own = join(folder, name)
  const { command, output } = readJson(join(own, 'build.json'))
  const [tool, ...args] = command[0] === 'gatehouse' ? [process.execPath, gatehouse, ...command.slice(1)] : command
  execFileSync(tool, args, { cwd: own, stdio: 'inherit' })
  const rule = readJson(join(own, 'rule.json'))
  const module = join(own, `${name}.${rule.language === 'javascript' ? 'js' : 'wasm'}`)
  if (join(own, output) !== module) copyFileSync(join(own, output), module)
  const sha256 = createHash('sha256').update(readFileSync(module)).digest('hex')
  const tests = readdirSync(join(own, 'tests')).filter((file) => file.endsWith('.json'))
  const vectors = tests.toSorted().flatMap((file) => readJson(join(own, 'tests', file)))
  const manifest = join(own, `${name}.rule.json`)
  writeFileSync(manifest, JSON.stringify({ ...rule, sha256, vectors }))
  execFileSync(process.execPath, [prettier, '--write', '--log-level', 'warn', manifest], { stdio: 'inherit' })
}
