import { spawn } from 'node:child_process'
import { mkdir, open, readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { realpathSync } from 'node:fs'
import { parse } from 'yaml'
import { ensureNode24 } from '../node24.mjs'

const GRACE_MS = 30_000

/**
 * The pinned suite. `run` answers the results of all scenarios of a revision, or of those that are named, at the wire
 * of that revision.
 */
export async function openSuite() {
  const { node, conformance } = ensureNode24()
  const entry = realpathSync(conformance)
  const requirements = join(dirname(entry), '..', 'requirements')

  const scenariosOf = async (revision) => {
    const { server, not_scored: rest } = parse(await readFile(join(requirements, `${revision}.yaml`), 'utf8'))
    const unscored = rest.filter(({ leg }) => leg === 'server').map(({ scenario }) => scenario)
    return { scored: server, unscored }
  }

  const run = async ({ url, revision, scenarios, folder, timeout }) => {
    await mkdir(folder, { recursive: true })
    const common = [entry, 'server', '--url', url, '-o', folder, '--timeout', String(timeout)]
    if (scenarios === null) {
      const { scored, unscored } = await scenariosOf(revision)
      const limit = (scored.length + unscored.length) * timeout + GRACE_MS
      await finished(node, [...common, '--requirements', revision], { folder, limit })
    }
    for (const scenario of scenarios ?? []) {
      const which = ['--scenario', scenario, '--spec-version', revision]
      await finished(node, [...common, ...which], { folder, limit: timeout + GRACE_MS })
    }
    return readResults(folder)
  }
  return { scenariosOf, run }
}

/** Its exit code tells whether a scored scenario failed, and the results tell that better. */
async function finished(command, args, { folder, limit }) {
  const log = await open(join(folder, 'suite.log'), 'a')
  const child = spawn(command, args, { stdio: ['ignore', log.fd, log.fd] })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const late = setTimeout(kill, limit)
  try {
    await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject))
  } finally {
    clearTimeout(late)
    process.off('exit', kill)
    await log.close()
  }
}

/** What the suite has left in `folder`: a subfolder `server-<scenario>-<time>` with its checks for each scenario. */
export async function readResults(folder) {
  const results = new Map()
  for (const name of await readdir(folder)) {
    const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(name)?.[1]
    if (scenario === undefined) continue
    results.set(scenario, JSON.parse(await readFile(join(folder, name, 'checks.json'), 'utf8')))
  }
  return results
}
