import type { IncomingMessage } from 'node:http'
import { GatehouseError } from '../errors.js'

/** Reads a body of at most `limit` bytes; a longer one is refused as soon as that is known, without reading on. */
export function readBody(req: IncomingMessage, limit: number): Promise<Buffer> {
  const declared = Number(req.headers['content-length'] ?? 0)
  if (declared > limit) return Promise.reject(tooLarge(limit))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    req.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) {
        req.pause()
        reject(tooLarge(limit))
      } else chunks.push(chunk)
    })
    req.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size)))
    const cutOff = () => {
      if (!req.complete) reject(new GatehouseError('GH_DOOR_NOT_JSON', { message: 'The body was cut off' }))
    }
    // A client that goes away is no fault of ours, and nothing for the log.
    req.on('error', cutOff)
    req.on('close', cutOff)
  })
}

const tooLarge = (limit: number) =>
  new GatehouseError('GH_DOOR_TOO_LARGE', { message: `The request body is over the limit of ${limit} bytes` })
