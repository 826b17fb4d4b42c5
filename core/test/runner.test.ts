import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const runner = fileURLToPath(new URL('../../../scripts/test.mjs', import.meta.url))
const uvu = import.meta.resolve('uvu')
const start = `import { test } from '${uvu}'\n`
const oneGood = `${start}test('good', () => {})\n`

interface Run {
  readonly code: unknown
  readonly output: string
  readonly lastLine: string | undefined
}

/** Runs files of the given contents as the whole suite. */
async function runFiles(...contents: readonly string[]): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), 'gh-runner-'))
  try {
    await Promise.all(contents.map((content, index) => writeFile(join(folder, `${index}.test.mjs`), content)))
    const env = { PATH: process.env['PATH'] ?? '', TMPDIR: tmpdir() }
    const child = spawn(process.execPath, [runner, '--folder', folder], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
    return { code, output, lastLine: output.trimEnd().split('\n').at(-1) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function expectFailure(content: string, ...said: readonly string[]): Promise<Run> {
  const run = await runFiles(content)
  assert.is(run.code, 1, run.output)
  assert.match(run.lastLine ?? '', /^\d+ passed, [1-9]\d* failed, \d+ skipped$/)
  for (const part of said) assert.ok(run.output.includes(part), `says "${part}": ${run.output}`)
  return run
}

function fails(content: string, ...said: readonly string[]): () => Promise<void> {
  return async () => {
    await expectFailure(content, ...said)
  }
}

test('counts over all files and says so alone on the last line', async () => {
  const run = await runFiles(`${oneGood}test('too', () => {})\ntest.run()`, `${oneGood}test.skip('later')\ntest.run()`)
  assert.is(run.lastLine, '3 passed, 0 failed, 1 skipped')
  assert.is(run.code, 0)
})

test('one failing test fails the run, and its words are shown', async () => {
  const run = await expectFailure(
    `${oneGood}test('bad', () => { throw new Error('my words') })\ntest.run()`,
    'my words',
  )
  assert.is(run.lastLine, '1 passed, 1 failed, 0 skipped')
})

test('a failing file does not hide a passing one', async () => {
  const run = await runFiles(`${oneGood}test.run()`, `${oneGood}`)
  assert.is(run.lastLine, '1 passed, 1 failed, 0 skipped')
  assert.is(run.code, 1)
})

test('a file that forgot test.run() fails', fails(oneGood, 'no totals'))

test('a file without a test fails', fails(`${start}test.run()`, 'ran no test'))

test('a file whose tests are all skipped passes', async () => {
  const run = await runFiles(`${start}test.skip('later')\ntest.run()`)
  assert.is(run.lastLine, '0 passed, 0 failed, 1 skipped')
  assert.is(run.code, 0)
})

test('a throwing before hook fails every test behind it, and its words are shown', async () => {
  const hook = `test.before(() => { throw new Error('hook words') })\n`
  const run = await expectFailure(`${oneGood}${hook}test('too', () => {})\ntest.run()`, 'hook words')
  assert.is(run.lastLine, '0 passed, 2 failed, 0 skipped')
})

test(
  'a throwing after hook fails',
  fails(`${oneGood}test.after(() => { throw new Error('hook words') })\ntest.run()`, 'hook words'),
)

test('a hook that throws after a failing test fails the tests behind it', async () => {
  const hook = `test.after.each(() => { throw new Error('hook words') })\n`
  const run = await expectFailure(`${oneGood}${hook}test('too', () => {})\ntest.run()`, 'hook words')
  assert.is(run.lastLine, '0 passed, 2 failed, 0 skipped')
})

test(
  'a promise that never settles fails',
  fails(`${oneGood}test('stuck', () => new Promise(() => {}))\ntest.run()`, 'no totals'),
)

test('a test that exits with 0 fails', fails(`${oneGood}test('away', () => process.exit(0))\ntest.run()`, 'no totals'))

test(
  'a rejection that nobody awaits fails',
  fails(`${oneGood}test('loose', () => void Promise.reject(new Error('lost words')))\ntest.run()`, 'lost words'),
)

test(
  'an exit code set aside fails',
  fails(`${oneGood}test('code', () => { setTimeout(() => process.exit(3), 50) })\ntest.run()`, 'code 3'),
)

test('a file that cannot be loaded fails', fails(`import './nowhere.mjs'`, 'nowhere.mjs'))

test(
  'a handle left open fails at the time limit',
  fails(
    `// time-limit: 1\n${oneGood}test('open', () => void setInterval(() => {}, 1000))\ntest.run()`,
    'did not end within 1 s',
  ),
)

test(
  'a loop without end fails at the time limit',
  fails(`// time-limit: 1\n${oneGood}test('loop', () => { for (;;); })\ntest.run()`, 'did not end within 1 s'),
)

test('what a file over time has started ends with it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gh-runner-'))
  const pidFile = join(folder, 'pid')
  const content = [
    '// time-limit: 1',
    `import { spawn } from 'node:child_process'`,
    `import { writeFileSync } from 'node:fs'`,
    oneGood,
    `const child = spawn('sleep', ['300'])`,
    `writeFileSync(${JSON.stringify(pidFile)}, String(child.pid))`,
    'test.run()',
  ]
  await expectFailure(content.join('\n'), 'did not end within 1 s')
  const pid = await readFile(pidFile, 'utf8')
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  assert.not.match(status, /^State:\t[SR]/m)
  await rm(folder, { recursive: true })
})

test('what a file leaves in the temp folder is removed', async () => {
  const content = [
    `import { mkdtempSync } from 'node:fs'`,
    `import { tmpdir } from 'node:os'`,
    oneGood,
    `test('litter', () => { console.log('litter:' + mkdtempSync(tmpdir() + '/litter-')); throw new Error('show') })`,
    'test.run()',
  ]
  const { output } = await expectFailure(content.join('\n'), 'litter:')
  const litter = /litter:(\S+)/.exec(output)?.[1] ?? ''
  assert.match(litter, /litter-/)
  assert.is(await readFile(litter).catch((error: NodeJS.ErrnoException) => error.code), 'ENOENT')
})

test('a file marked alone never runs beside another', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gh-runner-'))
  const log = JSON.stringify(join(folder, 'log'))
  const body = (name: string): string =>
    [
      `import { appendFileSync } from 'node:fs'`,
      oneGood,
      `test('${name}', async () => {`,
      `  appendFileSync(${log}, '+${name} ')`,
      `  await new Promise((done) => setTimeout(done, 300))`,
      `  appendFileSync(${log}, '-${name} ')`,
      '})',
      'test.run()',
    ].join('\n')
  const run = await runFiles(`// alone\n${body('a')}`, body('b'), `// alone\n${body('c')}`)
  assert.is(run.code, 0, run.output)
  assert.is(await readFile(join(folder, 'log'), 'utf8'), '+b -b +a -a +c -c ')
  await rm(folder, { recursive: true })
})

test.run()
