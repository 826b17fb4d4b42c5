import { createHash } from 'node:crypto'
import { unlinkSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { GatehouseError } from '../errors.js'

/** Longer socket paths than about a hundred bytes cannot be listened on. */
const longestPath = 100

/**
 * Holds the folder for this process, or throws GH_RECORD_HELD. A listening socket is the lock: it falls with the process,
 * however that ends, and works between containers that share the folder.
 */
export async function lockFolder(dir: string): Promise<() => Promise<void>> {
  const path = socketPath(resolve(dir))
  const server = (await listen(path)) ?? (await listenAfterTheDead(path))
  if (!server) {
    throw new GatehouseError('GH_RECORD_HELD', {
      message: `Another Gatehouse writes its record to ${dir}. Stop it, or give this one a GATEHOUSE_HOME of its own.`,
    })
  }
  return () => new Promise((done) => server.close(() => done()))
}

function socketPath(dir: string): string {
  const inside = join(dir, 'lock')
  if (Buffer.byteLength(inside) < longestPath) return inside
  return join(tmpdir(), `gatehouse-${createHash('sha256').update(dir).digest('hex').slice(0, 24)}`)
}

async function listenAfterTheDead(path: string): Promise<Server | null> {
  if (await answers(path)) return null
  unlinkSync(path)
  return listen(path)
}

/** Null when the path is taken. */
function listen(path: string): Promise<Server | null> {
  const server = createServer((socket) => socket.destroy()).unref()
  return new Promise((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? done(null) : fail(error)))
    server.listen(path, () => done(server))
  })
}

function answers(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path)
    socket.once('connect', () => done(true)).once('error', () => done(false))
    socket.unref()
    socket.once('connect', () => socket.destroy())
  })
}
