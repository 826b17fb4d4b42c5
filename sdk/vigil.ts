/** Keeps the event loop of this thread from going to sleep. */
export interface Vigil {
  /** For so long from now on. */
  stay(ms: number): void
  end(): void
}

/**
 * A thread that sleeps takes longer to wake up than most rules take to run: on a virtual processor that lies idle, a tenth of a millisecond
 * and more. While it stays awake its loop does whatever comes, looks, and asks for more without waiting. When it ends it looks once more,
 * behind `isAwake(false)`: who saw it awake until then has not called.
 */
export function createVigil(look: () => void, isAwake: (isIt: boolean) => void): Vigil {
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
      until = performance.now() + ms
      if (isOn) return
      isOn = true
      isAwake(true)
      setImmediate(turn)
    },
    end: () => void (until = 0),
  }
}
