import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from './database.mjs'

/** Runs a measurement. What it opened, and pushed on the list that it is given, is closed, however it ends. */
export async function opened(measure) {
  const closing = []
  let interrupted = false
  const give = () => {
    interrupted = true
    void closeAll(closing).finally(() => process.exit(130))
  }
  process.once('SIGINT', give).once('SIGTERM', give)
  try {
    return await measure(closing)
  } catch (error) {
    // What fails because it was cut off in the middle is no failure to report.
    if (interrupted) await new Promise(() => undefined)
    throw error
  } finally {
    await closeAll(closing)
    process.off('SIGINT', give).off('SIGTERM', give)
  }
}

/** The last that was opened first; one that cannot be closed does not keep the others. */
async function closeAll(closing) {
  for (let close = closing.pop(); close !== undefined; close = closing.pop())
    await close().catch((error) => console.error(error))
}

/** A folder and a PostgreSQL for this run alone. */
export async function openPlace(closing) {
  const home = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'))
  closing.push(() => rm(home, { recursive: true, force: true }))
  const starting = startPostgres(home)
  // Registered before it runs: an interruption waits for it, for its folder cannot be removed under it.
  closing.push(() => starting.then(({ stop }) => stop()))
  return { home, postgres: await starting }
}

/** `load` is what others did to the machine in the minute before: above a few tenths, the figures are theirs too. */
export const machine = () => ({
  cores: cpus().length,
  model: cpus()[0]?.model ?? 'unknown',
  node: process.version,
  load: loadavg()[0],
})

export const say = (line) => console.error(line)
