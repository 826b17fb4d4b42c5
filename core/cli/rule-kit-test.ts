import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { RuleVector } from '@gatehouse/sdk/rule-abi'
import { columns, CommandError, type Io, plain } from './io.js'
import { buildIfStale } from './rule-kit-build.js'
import { readPackage, type RulePackage } from './rule-kit-package.js'
import { openRunner, type Runner } from './rule-kit-runner.js'
import type { Result } from './rule-kit-worker.js'

interface Tested {
  readonly vector: RuleVector
  readonly result: Result | null
  readonly problem: string | null
}

/** Runs the tests of a rule under the limits of the gateway. A folder is built first, if it has changed. */
export async function testCommand(io: Io, target: string, { json = false }): Promise<void> {
  const rule = await readPackage(io, (await isFolder(io, target)) ? await buildIfStale(io, target) : target)
  if (rule.manifest.vectors.length === 0) throw new CommandError(noVectors(rule))
  const runner = await openRunner(rule)
  try {
    const { problems } = runner.report
    if (problems.length > 0) throw new CommandError(`${rule.path} would be refused: gatehouse rules check ${rule.path}`)
    const tested = await runAll(rule, runner)
    const failed = tested.filter(({ problem }) => problem !== null).length
    io.out(json ? `${JSON.stringify(toJson(rule, runner, tested), null, 2)}\n` : write(runner, tested))
    if (failed > 0) throw new CommandError(`${failed} of ${tested.length} failed.`)
    if (!json) io.out(`${tested.length} passed.\n`)
  } finally {
    await runner.stop()
  }
}

const isFolder = async (io: Io, path: string): Promise<boolean> =>
  (await stat(resolve(io.cwd, path)).catch(() => null))?.isDirectory() ?? false

const noVectors = ({ path, written }: RulePackage): string =>
  written === null
    ? `${path} has no manifest beside it, and so no tests: build it with gatehouse rules build.`
    : `${path} has no tests: write some into tests/*.json, and build it anew.`

async function runAll({ manifest }: RulePackage, runner: Runner): Promise<readonly Tested[]> {
  const tested: Tested[] = []
  const killMs = runner.report.limits?.killMs ?? 0
  for (const vector of manifest.vectors) {
    const result = await runner.run(vector)
    const late = result === null || result.ran.ms > killMs
    const problem = late ? `took longer than ${killMs} ms: the gateway ends such a call` : result.problem
    tested.push({ vector, result, problem })
  }
  return tested
}

const HEAD = ['', 'test', 'verdict', 'expected', 'fuel', 'of limit', 'ms', 'memory']

function write(runner: Runner, tested: readonly Tested[]): string {
  const most = runner.report.limits?.fuel ?? 1
  const rows = tested.map(({ vector, result, problem }) => {
    const sign = problem === null ? 'ok' : 'FAIL'
    const start = [sign, plain(vector.name), verdictOf(result), vector.expect.verdict]
    if (result === null) return start
    const { fuel, ms, memoryPages } = result.ran
    const share = `${((fuel / most) * 100).toFixed(1)} %`
    return [...start, fuel.toLocaleString('en'), share, ms.toFixed(2), `${memoryPages * 64} KiB`]
  })
  const failures = tested.filter(({ problem }) => problem !== null).map(tellFailure)
  return [columns([HEAD, ...rows]), ...failures, ''].join('\n')
}

const verdictOf = (result: Result | null): string =>
  result === null ? 'ended' : (result.ran.answer?.verdict ?? result.ran.failure?.kind ?? 'none')

function tellFailure({ vector, result, problem }: Tested): string {
  const log = result?.ran.log.map(({ level, text }) => `    ${level}: ${plain(text)}`) ?? []
  return [``, `${plain(vector.name)}:`, ...differences(problem ?? ''), ...log].join('\n')
}

/** `expected …, got …` on two lines, one above the other. */
function differences(problem: string): readonly string[] {
  const [, expected, got] = /^expected (.*?), (?:got|but) (.*)$/s.exec(problem) ?? []
  if (expected === undefined || got === undefined) return [`    ${plain(problem)}`]
  return [`  - ${plain(expected)}`, `  + ${plain(got)}`]
}

function toJson({ path, sha256 }: RulePackage, { report }: Runner, tested: readonly Tested[]): unknown {
  const vectors = tested.map(({ vector, result, problem }) => ({
    name: vector.name,
    ok: problem === null,
    problem,
    expected: vector.expect.verdict,
    verdict: verdictOf(result),
    ...(result !== null && { fuel: result.ran.fuel, ms: result.ran.ms, memoryPages: result.ran.memoryPages }),
    ...(result !== null && { counters: result.ran.counters, log: result.ran.log }),
  }))
  return { ok: vectors.every(({ ok }) => ok), module: path, sha256, limits: report.limits, vectors }
}
