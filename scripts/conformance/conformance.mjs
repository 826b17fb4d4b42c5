import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { startFronts } from './gateway.mjs'
import { judge } from './judge.mjs'
import { openSuite } from './suite.mjs'

const read = async (name) => parse(await readFile(new URL(name, import.meta.url), 'utf8')) ?? {}

/** Runs the suite against all fronts and answers the verdict on each run. What was opened is closed, however it ends. */
export async function conformance(options) {
  const closing = []
  const give = () => void closeAll(closing).finally(() => process.exit(130))
  process.once('SIGINT', give).once('SIGTERM', give)
  try {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-conformance-'))
    if (options.keep) say(`the outputs are kept in ${folder}`)
    else closing.push(() => rm(folder, { recursive: true, force: true }))
    const suite = await openSuite()
    say('starting the servers and the gateway')
    const { urls, log } = await startFronts(options, closing)
    const reasons = { expected: await read('expected-failures.yml'), crossed: await read('crossed.yml') }
    const verdicts = []
    for (const revision of options.revisions) {
      const results = await runAll({ suite, urls, folder, options, revision })
      verdicts.push({
        revision,
        ...judge({ revision, results, reasons, options }),
        results,
        ...(await suite.scenariosOf(revision)),
      })
    }
    if (options.keep) await writeFile(join(folder, 'gateway.log'), log())
    return verdicts
  } finally {
    await closeAll(closing)
    process.off('SIGINT', give).off('SIGTERM', give)
  }
}

/** The results of each front at one revision, one front after the other. */
async function runAll({ suite, urls, folder, options, revision }) {
  const { scored, unscored } = await suite.scenariosOf(revision)
  const known = new Set([...scored, ...unscored])
  const scenarios = options.scenarios?.filter((name) => known.has(name)) ?? null
  const results = {}
  for (const front of options.fronts) {
    const started = performance.now()
    const into = join(folder, `${front}-${revision}`)
    results[front] = await suite.run({ url: urls[front], revision, scenarios, folder: into, timeout: options.timeout })
    say(
      `${revision}, ${front}: ${results[front].size} scenarios in ${((performance.now() - started) / 1000).toFixed(1)} s`,
    )
  }
  return results
}

/** The last that was opened first; one that cannot be closed does not keep the others. */
async function closeAll(closing) {
  for (let close = closing.pop(); close !== undefined; close = closing.pop())
    await close().catch((error) => console.error(error))
}

function say(text) {
  console.error(text)
}
