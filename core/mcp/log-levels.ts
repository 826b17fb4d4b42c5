import type { JsonObject } from '@gatehouse/sdk'
import { isObject } from './message.js'

/** RFC 5424, section 6.2.1, the least urgent first. */
export const LOG_LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const

export const isLogLevel = (value: unknown): value is (typeof LOG_LEVELS)[number] =>
  (LOG_LEVELS as readonly unknown[]).includes(value)

/**
 * Whether a client hears a note: every other than one of a log, and those from its level on. Null: none; undefined: all.
 * A note whose level is none is heard by whoever hears any.
 */
export function hears(level: string | null | undefined, note: JsonObject): boolean {
  if (note.method !== 'notifications/message' || level === undefined) return true
  if (level === null) return false
  const said = isObject(note.params) ? note.params.level : undefined
  return !isLogLevel(said) || LOG_LEVELS.indexOf(said) >= (LOG_LEVELS as readonly string[]).indexOf(level)
}
