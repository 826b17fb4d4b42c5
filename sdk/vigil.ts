/** Keeps the event loop of this thread from going to sleep. */
export interface Vigil {
  /** For so long from now on. False when it does not: others need the processor. */
  stay(ms: number): boolean
  end(): void
}

/** A turn of an event loop with nothing to do takes microseconds: in one so long somebody else had the processor. */
const LONGEST_TURN_MS = 1
/** Twice within so long is no chance. */
const SOON_MS = 200
const REST_MS = 300

/**
 * A thread that sleeps takes longer to wake up than most rules take to run: on a virtual processor that lies idle, a tenth of a millisecond
 * and more. While it stays awake its loop does whatever comes, looks, and asks for more without waiting. When it ends it looks once more,
 * behind `isAwake(false)`: who saw it awake until then has not called.
 *
 * On a machine that is busy with other work it sleeps like any other thread: who is awake there has used up its time when something comes.
 */
export function createVigil(look: () => void, isAwake: (isIt: boolean) => void): Vigil {
  let until = 0
  let isOn = false
  let turned = 0
  let interrupted = -Infinity
  let rests = 0

  function turn(): void {
    notice(performance.now())
    look()
    turned = performance.now()
    if (turned < until) return void setImmediate(turn)
    isOn = false
    isAwake(false)
    look()
  }

  function notice(now: number): void {
    if (now - turned <= LONGEST_TURN_MS) return
    if (now - interrupted < SOON_MS) {
      rests = now + REST_MS
      until = 0
    }
    interrupted = now
  }

  return {
    stay(ms) {
      const now = performance.now()
      if (now < rests) return false
      until = now + ms
      if (isOn) return true
      isOn = true
      turned = now
      isAwake(true)
      setImmediate(turn)
      return true
    },
    end: () => void (until = 0),
  }
}
