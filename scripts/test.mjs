import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { parseArgs } from 'node:util'
import { build, checkNode, fail, install, projects, root } from './install.mjs'
import { ensureNode24 } from './node24.mjs'
import { ensurePresidio } from './presidio.mjs'
import { checkCommand, runJobs, sumLine, testFile } from './runner.mjs'

const { values, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: {
    coverage: { type: 'boolean', default: false },
    /** Runs the test files of a folder as they are: nothing is installed, built or linted. For the runner's own test. */
    folder: { type: 'string' },
  },
})

const oxlint = join(root, 'node_modules', 'oxlint', 'bin', 'oxlint')

// Told on the way out, so that it is the last line whatever happens before: a build that fails is a failure too.
let counts = { passed: 0, failed: 1, skipped: 0 }
process.on('exit', () => console.log(sumLine(counts)))

const files = values.folder === undefined ? prepareWorkspaces() : listFolder(values.folder)
const jobs = [
  ...(values.folder === undefined && wanted('lint') ? [checkCommand('lint', [oxlint, '--deny-warnings', root])] : []),
  ...files.map(({ name, path, source }) => testFile(name, path, source)),
]
if (jobs.length === 0) fail(`No test file matches ${filters.join(' ')}.`)
const server = files.some(needsDatabase) ? await startServer() : undefined
counts = await (values.coverage ? runWithCoverage : runJobs)(jobs, { env: { ...process.env, ...server?.env } })
await server?.stop()
process.exitCode = counts.failed > 0 ? 1 : 0

function prepareWorkspaces() {
  checkNode()
  install()
  build()
  const files = findTestFiles().filter(({ name }) => wanted(name))
  const need = (word) => files.some(({ source }) => readFileSync(source, 'utf8').includes(word))
  if (need('node24')) ensureNode24()
  // Here, and not in a test, since it may take minutes; what cannot be had is told by the tests that are skipped.
  if (need('findPresidio')) ensurePresidio()
  return files
}

function listFolder(folder) {
  return readdirSync(folder).map((name) => ({ name, path: join(folder, name), source: join(folder, name) }))
}

function wanted(name) {
  return filters.length === 0 || filters.some((filter) => name.includes(filter))
}

function findTestFiles() {
  return projects()
    .flatMap((project) => {
      const dist = join(project, 'dist')
      if (!existsSync(dist)) return []
      return readdirSync(dist, { recursive: true })
        .filter((path) => path.endsWith('.test.js'))
        .map((path) => {
          const source = join(project, path.replace(/\.js$/, '.ts'))
          return { name: relative(root, source).split(sep).join('/'), path: join(dist, path), source }
        })
    })
    .toSorted((a, b) => a.name.localeCompare(b.name))
}

function needsDatabase({ name, source }) {
  return name.startsWith('core/test/') || readFileSync(source, 'utf8').includes('testDatabase')
}

/** One throwaway PostgreSQL for the whole run, since starting one per file costs more than most files do. */
async function startServer() {
  if (process.env.DATABASE_URL) return undefined
  const { startTestServer } = await import(new URL('../core/dist/test/database.js', import.meta.url))
  const { url, stop } = await startTestServer()
  return { env: { GATEHOUSE_TEST_SERVER: url }, stop }
}

async function runWithCoverage(jobs, { env }) {
  const folder = mkdtempSync(join(tmpdir(), 'gh-coverage-'))
  const counts = await runJobs(jobs, { env: { ...env, NODE_V8_COVERAGE: folder } })
  const c8 = join(root, 'node_modules', 'c8', 'bin', 'c8.js')
  const report = ['report', '--temp-directory', folder, '--reporter', 'text', '--reporter', 'text-summary']
  const scope = ['--exclude-after-remap', '--include', '{sdk,core,plugins}/**', '--exclude', '**/*.test.ts']
  spawnSync(process.execPath, [c8, ...report, ...scope, '--exclude', 'core/test/**'], { cwd: root, stdio: 'inherit' })
  rmSync(folder, { recursive: true, force: true })
  return counts
}
