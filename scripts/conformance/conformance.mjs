import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { authorization } from './authorization.mjs'
import { startFronts } from './gateway.mjs'
import { judge } from './judge.mjs'
import { openSuite } from './suite.mjs'

const read = async (name) => parse(await readFile(new URL(name, import.meta.url), 'utf8')) ?? {}

/** Runs the suite against all fronts and answers the verdict on each run, and on the authorization
 * server. What was opened is closed, however it ends. */
export async function conformance(options) {
  const closing = []
  const give = () => void closeAll(closing).finally(() => process.exit(130))
  process.once('SIGINT', give).once('SIGTERM', give)
  try {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-conformance-'))
    if (options.keep) say(`the outputs are kept in ${folder}`)
    else closing.push(() => rm(folder, { recursive: true, force: true }))
    const suite = await openSuite()
    const sets = await chosen(suite, options)
    say('starting the servers and the gateway')
    const { urls, log } = await startFronts(options, closing)
    const reasons = { expected: await read('expected-failures.yml'), crossed: await read('crossed.yml') }
    const verdicts = []
    for (const { revision, scored, unscored, scenarios } of sets) {
      const results = await runAll({ suite, urls, folder, options, revision, scenarios })
      const verdict = judge({ revision, results, reasons, isWhole: scenarios === null })
      verdicts.push({ revision, scored, unscored, results, ...verdict })
    }
    if (options.keep) await writeFile(join(folder, 'gateway.log'), log())
    if (!options.authorization) return { verdicts, authorization: null }
    const into = join(folder, 'authorization')
    await mkdir(into)
    return { verdicts, authorization: await authorization({ folder: into, say }) }
  } finally {
    await closeAll(closing)
    process.off('SIGINT', give).off('SIGTERM', give)
  }
}

/** The revisions with the scenarios to run of each; null are all of them. Throws for one that no revision has. */
async function chosen(suite, { revisions, scenarios }) {
  const sets = await Promise.all(
    revisions.map(async (revision) => ({ revision, ...(await suite.scenariosOf(revision)) })),
  )
  if (scenarios === null) return sets.map((set) => ({ ...set, scenarios }))
  const known = (set) => [...set.scored, ...set.unscored]
  const unknown = scenarios.find((name) => !sets.some((set) => known(set).includes(name)))
  if (unknown !== undefined) throw new Error(`no scenario of ${revisions.join(' or ')} is called '${unknown}'`)
  return sets
    .map((set) => ({ ...set, scenarios: scenarios.filter((name) => known(set).includes(name)) }))
    .filter((set) => set.scenarios.length > 0)
}

/** The results of each front at one revision, one front after the other. */
async function runAll({ suite, urls, folder, options, revision, scenarios }) {
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
