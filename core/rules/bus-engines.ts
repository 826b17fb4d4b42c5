import type { Evaluation, Prepared, TestAnswer } from '@gatehouse/sdk'
import type { EngineKind } from '../domain/engines.js'
import type { Bus } from '../hooks/bus.js'
import type { Settled } from '../hooks/settle.js'
import type { Engines } from './engines.js'

/** The engines that plugins serve on the bus. A fault of a plugin is thrown: the rule is then undecided. */
export function createBusEngines(bus: Bus): Engines {
  const evaluators = new Map(
    bus.keys('engine.evaluate').map((kind) => [kind, bus.keyed('engine.evaluate', kind)?.ask] as const),
  )
  const kinds = bus.keys('engine.prepare').flatMap((kind) => kindOf(bus, kind))
  return {
    kinds: () => kinds,
    async prepare(kind, request) {
      const prepare = bus.keyed('engine.prepare', kind)
      if (prepare === undefined) throw new Error(`no plugin serves the engine '${kind}'`)
      return answerOf<Prepared>(await prepare.ask(request))
    },
    evaluate(kind, request, limits) {
      const ask = evaluators.get(kind)
      if (ask === undefined) throw new Error(`no plugin serves the engine '${kind}'`)
      const settled = ask(request, limits)
      return settled instanceof Promise ? settled.then(answerOf<Evaluation>) : answerOf(settled)
    },
    async test(kind, request) {
      const test = bus.keyed('engine.test', kind)
      if (test === undefined) throw new Error(`the engine '${kind}' cannot be tried`)
      return answerOf<TestAnswer>(await test.ask(request))
    },
    retire(kind, state) {
      void bus.keyed('engine.retire', kind)?.ask({ state })
    },
  }
}

/** What is prepared and never evaluated is no engine. */
function kindOf(bus: Bus, kind: string): EngineKind[] {
  const served = bus.keyed('engine.prepare', kind)
  const declaration = served?.options.engine
  if (served === undefined || declaration === undefined || bus.keyed('engine.evaluate', kind) === undefined) return []
  const { config, secret = [] } = served.options
  const instance = config === undefined ? null : { schema: config, secret }
  return [Object.freeze({ kind, plugin: served.plugin, declaration, instance })]
}

function answerOf<A>(settled: Settled<A>): A {
  if (settled.ok) return settled.value
  throw new Error(`${settled.fault.plugin} ${settled.fault.failure}: ${settled.fault.detail}`)
}
