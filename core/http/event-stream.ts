import type { ServerResponse } from 'node:http'
import type { JsonObject } from '@gatehouse/sdk'
import { writeJson } from '../mcp/json.js'

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}
const KEEP_ALIVE_MS = 15_000
/** Unsent bytes past which notes are no longer queued for a slow reader. Answers and questions always are. */
const HIGH_WATER = 1024 * 1024

/** A server-sent event stream to one client: headers are flushed at once, a comment keeps it alive. */
export interface EventStream {
  /** A note that may be lost: dropped when the reader is too slow. */
  note(message: JsonObject): void
  /** What must not be lost: a question, or its withdrawal. */
  must(message: JsonObject): void
  /** The last event, then the end. */
  end(text?: string): void
  /** Told once, when it has ended or its reader has gone; at once when that was before. Gives back how to listen no more. */
  onClosed(listener: () => void): () => void
  readonly closed: boolean
}

export function openEventStream(res: ServerResponse, extra: Readonly<Record<string, string>> = {}): EventStream {
  res.writeHead(200, { ...HEADERS, ...extra })
  res.flushHeaders()
  res.write(': open\n\n')
  const timer = setInterval(() => res.write(': keep-alive\n\n'), KEEP_ALIVE_MS)
  timer.unref()
  let closed = false
  const listeners = new Set<() => void>()
  const close = () => {
    if (closed) return
    // A note that comes behind the answer must not be written: that would be an error that nobody catches.
    closed = true
    clearInterval(timer)
    for (const listener of [...listeners]) listener()
    listeners.clear()
  }
  res.once('close', close)
  return {
    note(message) {
      if (!closed && res.writableLength < HIGH_WATER) res.write(event(writeJson(message)))
    },
    must(message) {
      if (!closed) res.write(event(writeJson(message)))
    },
    end(text) {
      if (closed) return
      close()
      res.end(text === undefined ? undefined : event(text))
    },
    onClosed(listener) {
      if (closed) listener()
      else listeners.add(listener)
      return () => listeners.delete(listener)
    },
    get closed() {
      return closed
    },
  }
}

// JSON.stringify leaves no line break in its text, so one data line holds a message.
const event = (text: string) => `event: message\ndata: ${text}\n\n`
