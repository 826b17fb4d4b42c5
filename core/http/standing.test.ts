import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createStanding } from './standing.js'

test('who would not be let in any more is ended, everyone else stays', async () => {
  const refused = { at: Date.now() - 1_000, place: -1 }
  const welcome = { at: Date.now() - 1_000, place: -1 }
  const asked: object[] = []
  const ended = await new Promise<object>((resolve) => {
    const standing = createStanding<{ at: number; place: number }>({
      stillEnters: (visit) => {
        asked.push(visit)
        return Promise.resolve(visit !== refused)
      },
      end: (visit) => {
        standing.leave(visit)
        standing.leave(welcome)
        resolve(visit)
      },
      everyMs: 1,
    })
    standing.enter(welcome)
    standing.enter(refused)
    // Its own timer holds no process up: something else has to.
    const hold = setInterval(() => asked.includes(refused) && clearInterval(hold), 1)
  })
  assert.is(ended, refused)
  assert.equal(asked.slice(0, 2), [welcome, refused])
})

test.run()
