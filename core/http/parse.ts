import type { IncomingMessage } from 'node:http'
import type { Json } from '@gatehouse/sdk'
import { GatehouseError } from '../errors.js'
import { parseJson } from '../mcp/json.js'

export type Parsed =
  { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly error: GatehouseError }

/** The JSON of a POST; the media types are part of the question. */
export function parse(req: IncomingMessage, text: string): Parsed {
  const type = req.headers['content-type'] ?? ''
  if (!/^application\/json *(;|$)/i.test(type)) return { ok: false, error: new GatehouseError('GH_DOOR_MEDIA_TYPE') }
  if (!accepts(req, 'application/json') && !accepts(req, 'text/event-stream'))
    return { ok: false, error: new GatehouseError('GH_DOOR_ACCEPT') }
  try {
    return { ok: true, value: parseJson(text) }
  } catch (cause) {
    return { ok: false, error: new GatehouseError('GH_DOOR_NOT_JSON', { cause }) }
  }
}

/** A client that names event streams before JSON: both will do, this one is liked better. */
export function prefersEvents({ headers: { accept = '' } }: IncomingMessage): boolean {
  const stream = accept.indexOf('text/event-stream')
  const json = accept.indexOf('application/json')
  return stream >= 0 && json > stream
}

/** Lenient: a client that says nothing takes anything. */
export function accepts(req: IncomingMessage, type: string): boolean {
  const accept = req.headers.accept
  return (
    accept === undefined ||
    accept.includes(type) ||
    accept.includes('*/*') ||
    accept.includes(`${type.split('/')[0]}/*`)
  )
}
