import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { begin } from '../../begin.mjs'

/** Each is a script of its own beside this file, which exits with 1 when what it measures falls short. */
const FRONTS = ['poisoning', 'pii'].filter((name) => existsSync(scriptOf(name)))
const USAGE = `Usage: npm run bench:detection -- [fronts] [options]

Measures what is detected, and what is taken for it wrongly, on corpora that lie in the repository. Fronts: ${FRONTS.join(', ')} (default all).

  --write      put the figures into the pages that publish them
  --tuning     the two thirds of a corpus that detectors may be tuned on, with what was missed
  --no-build   measure what is compiled already
  --help       this text

Exit code 1 when a bar is not reached.
`

const { fronts, options } = begin({ readOptions, usage: USAGE })
const failed = fronts.filter((name) => {
  console.log(`\n== ${name}\n`)
  return spawnSync(process.execPath, [scriptOf(name), ...options], { stdio: 'inherit' }).status !== 0
})
if (failed.length > 0) console.error(`\nFell short: ${failed.join(', ')}`)
process.exit(failed.length > 0 ? 1 : 0)

function scriptOf(name) {
  return fileURLToPath(new URL(`${name}.mjs`, import.meta.url))
}

function readOptions(argv) {
  const flags = { write: { type: 'boolean' }, tuning: { type: 'boolean' }, help: { type: 'boolean' } }
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: { ...flags, 'no-build': { type: 'boolean' } },
  })
  const unknown = positionals.find((name) => !FRONTS.includes(name))
  if (unknown !== undefined) throw new TypeError(`No front is called '${unknown}'; there are ${FRONTS.join(', ')}.`)
  return {
    help: values.help ?? false,
    build: !values['no-build'],
    fronts: positionals.length > 0 ? positionals : FRONTS,
    options: ['write', 'tuning'].filter((name) => values[name]).map((name) => `--${name}`),
  }
}
