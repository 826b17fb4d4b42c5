/** Wakes one waiter; a ring that nobody waits for is kept for the next one. */
export class Bell {
  private rung = false
  private wake: (() => void) | undefined

  ring(): void {
    if (this.wake) this.wake()
    else this.rung = true
  }

  /** Resolves at the next ring, or after so many milliseconds. */
  wait(ms: number): Promise<void> {
    if (this.rung) {
      this.rung = false
      return Promise.resolve()
    }
    return new Promise((done) => {
      const timer = ms === Infinity ? undefined : setTimeout(() => this.wake?.(), ms)
      this.wake = () => {
        clearTimeout(timer)
        this.wake = undefined
        done()
      }
    })
  }
}
