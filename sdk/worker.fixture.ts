import { serveTasks } from './workers.js'

/** What the test of the pool asks of its threads. */
export type Deed = { readonly add: readonly number[] } | { readonly hang: true } | { readonly fail: string }

serveTasks((deed: Deed): number => {
  if ('fail' in deed) throw new Error(deed.fail)
  if ('hang' in deed) for (;;);
  return deed.add.reduce((sum, number) => sum + number, 0)
})
