import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

const oldestNode = [20, 19]

/** Ends the process with one clear sentence on a Node that cannot work; warns on one that no longer gets fixes. */
export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    fail(`Gatehouse needs Node ${oldestNode.join('.')} or later; this is Node ${process.versions.node}.`)
  }
  if (major === 20) {
    console.error('Warning: Node 20 has reached its end of life. Gatehouse works on it, but please move to Node 24.')
  }
}

/** Brings node_modules in line with package-lock.json; a folder that is already in line is left alone. */
export function install(folder = root) {
  const reason = whyInstall(folder)
  if (reason === undefined) return
  console.error(`Installing dependencies (${reason}) ...`)
  runNpm(['ci', '--include=dev', '--no-audit', '--no-fund'], folder)
}

/** Compiles what changed. Outputs whose source is gone are removed first, so that no test of the past is run. */
export function build() {
  for (const project of projects()) removeStaleOutputs(project, join(project, 'dist'))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const { status } = spawnSync(process.execPath, [tsc, '-b'], { cwd: root, stdio: 'inherit' })
  if (status !== 0) fail('The build failed; see the errors above.')
}

/** Absolute folders of the compiled workspaces. */
export function projects() {
  const { references } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'))
  return references.map(({ path }) => join(root, path))
}

/** Runs npm, shows what it prints, and ends this process when it fails. */
export function runNpm(args, cwd) {
  const { npm_execpath: npm } = process.env
  const options = { cwd, stdio: ['ignore', 2, 2] }
  const { status, error } = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' })
  if (status !== 0) fail(`npm ${args[0]} failed${error ? `: ${error.message}` : ''} (in ${cwd}).`)
}

export function fail(sentence) {
  console.error(sentence)
  process.exit(1)
}

function whyInstall(folder) {
  const wanted = readLock(join(folder, 'package-lock.json'))
  const present = readLock(join(folder, 'node_modules', '.package-lock.json'))
  if (wanted === undefined) fail(`package-lock.json is missing in ${folder}.`)
  if (present === undefined) return 'first run'
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.includes('node_modules/')) continue
    if (entry.link) {
      if (!existsSync(join(folder, path))) return `${path} is missing`
    } else if (present[path] === undefined) {
      if (!entry.optional && !entry.devOptional) return `${path} is missing`
    } else if (present[path].version !== entry.version || present[path].integrity !== entry.integrity) {
      return `${path} has changed`
    }
  }
  return undefined
}

function readLock(path) {
  if (!existsSync(path)) return undefined
  return JSON.parse(readFileSync(path, 'utf8')).packages
}

function removeStaleOutputs(sourceFolder, distFolder) {
  if (!existsSync(distFolder)) return
  for (const entry of readdirSync(distFolder, { withFileTypes: true })) {
    const output = join(distFolder, entry.name)
    if (entry.isDirectory()) {
      removeStaleOutputs(join(sourceFolder, entry.name), output)
    } else if (/\.(js|d\.ts)(\.map)?$/.test(entry.name)) {
      const stem = join(sourceFolder, entry.name.replace(/\.(js|d\.ts)(\.map)?$/, ''))
      if (!['.ts', '.tsx', '.js'].some((end) => existsSync(stem + end))) rmSync(output)
    }
  }
}
