import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from './install.mjs'

const folder = join(root, 'scripts', 'presidio')
const LONGEST_INSTALL_MS = 420_000
const LONGEST_START_MS = 90_000

/**
 * A Python with the real Presidio and a small English model, installed once for each change of what is pinned, in the
 * user's cache and not in the checkout.
 *
 * @returns {{ python: string } | { missing: string }} why there is none, where Python or the packages cannot be had
 */
export function ensurePresidio() {
  const pinned = ['requirements.txt', 'model.txt'].map((name) => readFileSync(join(folder, name)))
  const digest = createHash('sha256').update(Buffer.concat(pinned)).digest('hex').slice(0, 12)
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gatehouse')
  const home = join(cache, `presidio-${digest}`)
  const python = join(home, 'bin', 'python')
  if (existsSync(python)) return { python }
  mkdirSync(cache, { recursive: true })
  const made = mkdtempSync(join(cache, 'making-'))
  const missing = makeHome(made)
  if (missing === undefined) moveTo(home, made)
  rmSync(made, { recursive: true, force: true })
  return missing === undefined ? { python } : { missing }
}

/** Another run may have been faster: then its home is as good. */
function moveTo(home, made) {
  try {
    renameSync(made, home)
  } catch (error) {
    if (!existsSync(home)) throw error
  }
}

/** Says what failed; nothing when all went well. */
function makeHome(home) {
  const pip = (...rest) => [
    join(home, 'bin', 'python'),
    ['-m', 'pip', 'install', '--quiet', '--no-input', '--no-compile', ...rest],
  ]
  const until = Date.now() + LONGEST_INSTALL_MS
  const steps = [
    ['python3', ['-m', 'venv', home]],
    pip('--only-binary', ':all:', '--requirement', join(folder, 'requirements.txt')),
    pip('--require-hashes', '--no-deps', '--requirement', join(folder, 'model.txt')),
  ]
  for (const [command, parts] of steps) {
    const timeout = Math.max(1, until - Date.now())
    const { status, error, stderr } = spawnSync(command, parts, { timeout, encoding: 'utf8' })
    if (status === 0) continue
    const why = error?.message ?? stderr?.trim().split('\n').at(-1) ?? ''
    return `Presidio cannot be installed: ${why.slice(0, 300)}`
  }
  return undefined
}

/**
 * Starts the analyzer on a free port of loopback. It ends with `stop`, and with the process that started it.
 *
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
export async function startPresidio(python) {
  const child = spawn(python, [join(folder, 'analyzer.py')], { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (said = (said + text).slice(-2_000)))
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const port = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Presidio did not start in time: ${said}`)), LONGEST_START_MS)
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(timer)
      resolve(Number(line))
    })
    child.once('exit', () => reject(new Error(`Presidio ended: ${said}`)))
  }).catch((error) => {
    child.kill('SIGKILL')
    throw error
  })
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
