import type { ServerResponse } from 'node:http'
import type { JsonObject } from '@gatehouse/sdk'
import { writeJson } from '../mcp/json.js'

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}
const KEEP_ALIVE_MS = 15_000
/** Unsent bytes past which notes are no longer queued for a slow reader. Answers always are. */
const HIGH_WATER = 1024 * 1024

/** A server-sent event stream to one client: headers are flushed at once, a comment keeps it alive. */
export interface EventStream {
  /** A note that may be lost: dropped when the reader is too slow. */
  note(message: JsonObject): void
  /** The last event, then the end. */
  end(text?: string): void
  readonly closed: boolean
}

export function openEventStream(res: ServerResponse, extra: Readonly<Record<string, string>> = {}): EventStream {
  res.writeHead(200, { ...HEADERS, ...extra })
  res.flushHeaders()
  res.write(': open\n\n')
  const timer = setInterval(() => res.write(': keep-alive\n\n'), KEEP_ALIVE_MS)
  timer.unref()
  let closed = false
  res.once('close', () => {
    closed = true
    clearInterval(timer)
  })
  return {
    note(message) {
      if (!closed && res.writableLength < HIGH_WATER) res.write(event(writeJson(message)))
    },
    end(text) {
      if (closed) return
      // A note that comes behind the answer must not be written: that would be an error that nobody catches.
      closed = true
      clearInterval(timer)
      res.end(text === undefined ? undefined : event(text))
    },
    get closed() {
      return closed
    },
  }
}

// JSON.stringify leaves no line break in its text, so one data line holds a message.
const event = (text: string) => `event: message\ndata: ${text}\n\n`
