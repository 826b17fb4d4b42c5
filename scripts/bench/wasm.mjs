import { machine, opened, say } from './opened.mjs'
import { beside } from './wasm/beside.mjs'
import { crowd, ends } from './wasm/ends.mjs'
import { legs, throughput } from './wasm/legs.mjs'
import { phrase } from './wasm/modules.mjs'

/**
 * What rules in WebAssembly take and what they can do to others, by the very code that the gateway runs, in this process and its
 * threads alone.
 */
export function bench(options) {
  return opened(async (closing) => {
    const on = machine()
    say('compiling the rule')
    const module = phrase()
    const { rounds, ms } = options
    const samples = []
    for (let round = 1; round <= rounds; round += 1) {
      say(`legs, round ${round} of ${rounds}`)
      await legs(closing, { module, ms, onFigure: (figure) => samples.push({ round, ...figure }) })
    }
    say('one worker')
    const perSecond = []
    for (let round = 1; round <= rounds; round += 1) perSecond.push(await throughput(closing, { module, ms: ms * 3 }))
    say('a hundred rules')
    const many = await crowd(closing, { module })
    say('rules that run away')
    const ended = await ends(closing, { module, times: 4 * rounds })
    const among = await beside(closing, { module, ms: ms * 10, rounds })
    const facts = { moduleBytes: module.bytes.length, samples, perSecond, crowd: many, ends: ended, beside: among }
    return { at: new Date().toISOString(), machine: on, options, ...facts, missing: 0 }
  })
}
