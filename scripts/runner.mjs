import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'

const atOnce = 2
const defaultLimitSeconds = 120
const graceMs = 2000
const hookErrors = new URL('./show-hook-errors.mjs', import.meta.url).href

/**
 * A test file is a process of its own. Its words about itself are not trusted: a file passes only when it printed its
 * totals, all it counted passed, at least one test ran (or all were skipped by name), and it ended by itself, in time,
 * with exit code 0.
 *
 * @typedef {{ name: string, command: string[], limitSeconds: number, alone: boolean, kind: 'uvu' | 'command' }} Job
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
 */

/** @returns {Job} */
export function testFile(name, path, source = path) {
  const text = readFileSync(existsSync(source) ? source : path, 'utf8')
  const head = text.split('\n', 10).join('\n')
  return {
    name,
    command: ['--enable-source-maps', '--import', hookErrors, path],
    limitSeconds: Number(/^\/\/ time-limit: (\d+)/m.exec(head)?.[1] ?? defaultLimitSeconds),
    alone: /^\/\/ alone\b/m.test(head),
    kind: 'uvu',
  }
}

/** A check that counts as one test: it passes when it exits with 0. @returns {Job} */
export function checkCommand(name, command) {
  return { name, command, limitSeconds: defaultLimitSeconds, alone: false, kind: 'command' }
}

/** Runs all jobs, tells each result as it comes, and answers the sums. @returns {Promise<Counts>} */
export async function runJobs(jobs, { env = process.env, print = console.log } = {}) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const running = new Set()
  const stopAll = () => {
    for (const child of running) killGroup(child, 'SIGKILL')
    process.exit(130)
  }
  process.once('SIGINT', stopAll).once('SIGTERM', stopAll)

  const work = async (queue) => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      const result = await runJob(job, env, running)
      counts.passed += result.passed
      counts.failed += result.failed
      counts.skipped += result.skipped
      tell(job, result, print)
    }
  }
  const together = jobs.filter((job) => !job.alone)
  await Promise.all(Array.from({ length: atOnce }, () => work(together)))
  await work(jobs.filter((job) => job.alone))

  process.off('SIGINT', stopAll).off('SIGTERM', stopAll)
  return counts
}

export function sumLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

async function runJob(job, env, running) {
  const started = performance.now()
  // A temp folder per file: whatever a killed test leaves behind goes with it. Open to all like /tmp itself, since the
  // embedded database runs as another user when the tests run as root.
  const temp = mkdtempSync(join(tmpdir(), 'gh-'))
  chmodSync(temp, 0o1777)
  const child = spawn(process.execPath, job.command, {
    env: { ...env, TMPDIR: temp },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  running.add(child)
  const ended = await waitFor(child, job.limitSeconds)
  running.delete(child)
  rmSync(temp, { recursive: true, force: true, maxRetries: 3 })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  return { ...judge(job, ended), output: ended.output, seconds }
}

function waitFor(child, limitSeconds) {
  return new Promise((resolve) => {
    let output = ''
    let late = false
    let exit
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk) => (output += chunk))
    }
    const limit = setTimeout(() => {
      late = true
      killGroup(child, 'SIGTERM')
      setTimeout(() => killGroup(child, 'SIGKILL'), graceMs).unref()
    }, limitSeconds * 1000)
    const done = (code, signal) => {
      clearTimeout(limit)
      killGroup(child, 'SIGKILL')
      resolve({ output, late, code, signal })
    }
    child.on('error', (error) => {
      output += String(error)
      done(1, null)
    })
    // A process left behind may hold the pipe open: the file's own end counts, with a moment for its last words.
    child.on('exit', (code, signal) => {
      exit = [code, signal]
      setTimeout(() => done(...exit), graceMs).unref()
    })
    child.on('close', () => done(...exit))
  })
}

/** The one place that decides whether a file passed. */
function judge(job, { output, late, code, signal }) {
  const reasons = []
  if (late) reasons.push(`it did not end within ${job.limitSeconds} s`)
  else if (code !== 0) reasons.push(signal ? `it was ended by ${signal}` : `it exited with code ${code}`)
  if (job.kind === 'command') {
    return { passed: reasons.length ? 0 : 1, failed: reasons.length ? 1 : 0, skipped: 0, reasons }
  }

  const totals = readTotals(output)
  if (totals === undefined) reasons.push('it printed no totals (does it end with test.run()?)')
  const { total, passed, skipped } = totals ?? { total: 0, passed: 0, skipped: 0 }
  if (passed < total) reasons.unshift(`${total - passed} of ${total} tests did not pass`)
  if (total === 0 && totals !== undefined && skipped === 0) reasons.push('it ran no test')
  return { passed, failed: Math.max(total - passed, reasons.length > 0 ? 1 : 0), skipped, reasons }
}

function readTotals(output) {
  const plain = output.replace(/\u001b\[[0-9;]*m/g, '')
  const match = [...plain.matchAll(/^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)$/gm)].at(-1)
  return match && { total: Number(match[1]), passed: Number(match[2]), skipped: Number(match[3]) }
}

function tell(job, result, print) {
  const ok = result.failed === 0
  const skipped = result.skipped ? `, ${result.skipped} skipped` : ''
  print(`${ok ? 'ok    ' : 'FAILED'} ${job.name}  ${result.passed} passed${skipped}  (${result.seconds} s)`)
  if (ok) return
  print(result.reasons.map((reason) => `       ${reason}`).join('\n'))
  print(result.output.replace(/^/gm, '  | '))
}

/** The group, not the process alone: what a test started ends with it. */
function killGroup(child, signal) {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}
