import type { Parcel } from './workers.js'
import { serveTexts } from './workers.js'

/** What the test of pools of texts asks of its threads, as the first text of a task. */
export type TextDeed = 'echo' | 'hang' | 'end' | 'last' | 'later' | `stay ${number}` | `long ${number}`

function stay(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

serveTexts({
  run(parcel: Parcel, at: (step: number) => void): string | Promise<string> {
    const [deed, amount] = parcel.text(0).split(' ')
    at(0)
    if (deed === 'end') process.exit(0)
    if (deed === 'last') setImmediate(() => process.exit(0))
    if (deed === 'hang') stay(Infinity)
    if (deed === 'stay') stay(Number(amount))
    if (deed === 'long') return 'x'.repeat(Number(amount))
    const echo = Buffer.from(parcel.bytes(1)).toString('utf8')
    return deed === 'later' ? Promise.resolve(echo) : echo
  },
})
