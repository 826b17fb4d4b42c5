/** What a target is to be told next. `gather`: from now on what comes is kept for one message. */
export type Turn = 'nothing' | 'single' | 'gather' | 'digest'

export interface FloodState {
  /** Messages that may go out at once; a fraction is none. */
  readonly tokens: number
  /** Alerts that wait to be told. */
  readonly waiting: number
  /** Milliseconds since gathering began; null: each is told by itself. */
  readonly gatheringMs: number | null
}

export interface FloodLimits {
  /** Most messages at once, and messages a minute. */
  readonly burst: number
  readonly perMinute: number
  /** How long is gathered for one digest. */
  readonly gatherMs: number
}

export const FLOOD_LIMITS: FloodLimits = Object.freeze({ burst: 20, perMinute: 10, gatherMs: 60_000 })

/** Each alert is a message of its own until the tokens are spent; then one message a minute tells of all. */
export function nextTurn({ tokens, waiting, gatheringMs }: FloodState, { gatherMs }: FloodLimits): Turn {
  if (waiting === 0) return 'nothing'
  if (gatheringMs === null) return tokens >= 1 ? 'single' : 'gather'
  if (gatheringMs < gatherMs || tokens < 1) return 'nothing'
  return waiting === 1 ? 'single' : 'digest'
}

export function refill(tokens: number, elapsedMs: number, { burst, perMinute }: FloodLimits): number {
  return Math.min(burst, tokens + (Math.max(0, elapsedMs) * perMinute) / 60_000)
}
