import { systemThread, timeOf } from './thread-time.js'

/** Keeps the event loop of this thread from going to sleep. */
export interface Vigil {
  /** For so long from now on. False when it does not: others need the processor. */
  stay(ms: number): boolean
  end(): void
}

/**
 * A thread that sleeps takes longer to wake up than most rules take to run: on a virtual processor that lies idle, a tenth of a millisecond
 * and more. While it stays awake its loop does whatever comes, looks, and asks for more without waiting. When it ends it looks once more,
 * behind `isAwake(false)`: who saw it awake until then has not called.
 *
 * On a machine that is busy with other work it sleeps like any other thread: who is awake there has used up its time when something comes.
 */
export function createVigil(look: () => void, isAwake: (isIt: boolean) => void): Vigil {
  const isCrowded = createCrowd()
  let until = 0
  let isOn = false

  function turn(): void {
    look()
    if (performance.now() < until) return void setImmediate(turn)
    isOn = false
    isAwake(false)
    look()
  }

  return {
    stay(ms) {
      const now = performance.now()
      if (isCrowded(now)) {
        until = 0
        return false
      }
      until = now + ms
      if (isOn) return true
      isOn = true
      isAwake(true)
      setImmediate(turn)
      return true
    },
    end: () => void (until = 0),
  }
}

const LOOK_MS = 50
const REST_MS = 300
/** Of the time that a thread was ready to run, so much of it without a processor is too much. */
const MOST_WAITED = 0.4

/** Whether this thread has lacked a processor lately. Never, where the system does not tell (only Linux does). */
function createCrowd(): (now: number) => boolean {
  const thread = systemThread()
  let last = timeOf(thread)
  let next = 0
  let isIt = false
  return (now) => {
    if (now < next || last === null) return isIt
    const time = timeOf(thread)
    if (time === null) return isIt
    const waited = time.waited - last.waited
    isIt = !isIt && waited > MOST_WAITED * (waited + time.ran - last.ran)
    next = now + (isIt ? REST_MS : LOOK_MS)
    last = time
    return isIt
  }
}
