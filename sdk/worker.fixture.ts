import { serveDuties } from './workers.js'

/** What the test of the pool asks of its threads. */
export type Deed =
  | { readonly add: readonly number[] }
  | { readonly hang: true }
  | { readonly fail: string }
  /** Stands at each of the steps for so many milliseconds; 0: for ever. */
  | { readonly steps: readonly number[] }
  /** Stands at a step for so many milliseconds without running. */
  | { readonly sleep: number }
  | { readonly wait: number }
  | { readonly ask: number }
  | { readonly end: true }

const held = new Map<number, number>()

function stay(ms: number): void {
  const until = performance.now() + ms
  while (ms === 0 || performance.now() < until);
}

serveDuties({
  run(deed: Deed, at: (step: number) => void): number | Promise<number> {
    if ('fail' in deed) throw new Error(deed.fail)
    if ('hang' in deed) stay(0)
    if ('end' in deed) process.exit(0)
    if ('ask' in deed) return held.get(deed.ask) ?? -1
    if ('wait' in deed) return Promise.resolve(deed.wait)
    if ('add' in deed) return deed.add.reduce((sum, number) => sum + number, 0)
    if ('sleep' in deed) {
      at(0)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, deed.sleep)
    }
    if (!('steps' in deed)) return 0
    deed.steps.forEach((ms, step) => {
      at(step)
      stay(ms)
    })
    return deed.steps.length
  },
  hold(key: number, value: number) {
    if (value < 0) throw new Error('too little')
    if (value === 0) stay(0)
    held.set(key, value)
  },
  drop: (key) => void held.delete(key),
})
