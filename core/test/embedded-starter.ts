import { startEmbedded } from '../db/embedded.js'

/** Run by the tests as a process of its own: starts the database in the given folder and keeps it until told to end. */
const log = { debug: ignore, info: ignore, warn: ignore, error: console.error }
const database = await startEmbedded({ dir: String(process.argv[2]), log })
process.send?.(database.url)
process.once('SIGTERM', () => {
  void database.stop().then(() => process.exit(0))
})

function ignore(): void {}
