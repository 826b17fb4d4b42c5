import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Loaded into the gateway's process before anything of it: tells, over a socket of its own, how much memory is left when
 * all garbage was collected, and what keeps the process busy. The gateway knows nothing of it.
 */
const path = process.env.SOAK_PROBE
if (path !== undefined) {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  setFlagsFromString('--no-expose-gc')
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', () => {
      // What was kept for a finalizer goes at the next time.
      for (let times = 0; times < 3; times += 1) collect()
      const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage()
      socket.end(
        JSON.stringify({ rss, heapUsed, external, arrayBuffers, busyWith: counted(process.getActiveResourcesInfo()) }),
      )
    })
  })
  rmSync(path, { force: true })
  server.listen(path)
  server.unref()
}

function counted(names) {
  const counts = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}
