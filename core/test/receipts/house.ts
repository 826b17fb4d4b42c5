import { call, legacy } from '../door.js'
import type { FakeServer } from '../fake-upstream.js'
import type { Access, RunningGateway } from '../gateway.js'

/**
 * An engine that remembers how many messages it has seen, and goes by that: it blocks from the `limit`th on, or puts `mark` behind
 * every text. It tells what it looked at, the text among it. With `flaky` it says something else each time. The other one leads outside.
 */
export const COUNTING = `setup(context) {
  const rule = z.looseObject({ limit: z.number().optional(), mark: z.string().optional(), flaky: z.boolean().optional() })
  const declaration = { rule, answers: 'either', fails: true, chains: true }
  context.serve('engine.prepare', 'counting', ({ config }) => ({ ok: true, state: config, passes: 1 }), { engine: declaration })
  context.serve('engine.evaluate', 'counting', async ({ state, chain, recorded, message, leaves }) => {
    const key = 'seen-' + chain[0].rule.id
    const seen = recorded === undefined ? Number((await context.store.get(key)) ?? 0) : recorded.seen
    if (recorded === undefined) await context.store.set(key, String(seen + 1))
    const texts = leaves.filter(({ kind }) => kind === 'value').map(({ text }) => text)
    const fuel = 1000 + seen + JSON.stringify(message).length + (state.flaky ? Math.random() : 0)
    const beside = { evidence: { fuel }, counts: { text: texts.length }, recorded: { seen, texts } }
    if (state.limit !== undefined && seen >= state.limit) return { ...block('seen ' + seen + ' before'), ...beside }
    if (state.mark === undefined || message.arguments === undefined) return { ...pass(), ...beside }
    const text = message.arguments.text + state.mark
    return { ...modify({ message: { ...message, arguments: { ...message.arguments, text } } }), ...beside }
  })
  context.serve('engine.prepare', 'outside', ({ instance }) => ({ ok: true, state: instance.config, passes: 1 }), {
    config: z.strictObject({ url: z.url() }),
    engine: { rule: z.looseObject({}), answers: 'spans', fails: true },
  })
  context.serve('engine.evaluate', 'outside', ({ state }) => ({ verdict: 'findings', findings: [] }))
}`

export interface Rules {
  readonly sealed: readonly object[]
  readonly plain?: readonly object[]
}

export const yamlOf = (server: FakeServer, { sealed, plain = [] }: Rules): string => `version: 1
plugins: [ { use: detect-regex }, { use: ./test-counting.mjs } ]
servers: { crm: { url: ${JSON.stringify(server.url)} } }
engines: { far: { kind: outside, url: "https://far.example.com/" } }
gateways:
  sealed: { capture: sealed, servers: [ { server: crm } ], rules: ${JSON.stringify(sealed)} }
  plain: { servers: [ { server: crm } ], rules: ${JSON.stringify(plain)} }
`

export interface ShownReceipt {
  readonly receipt_id: string
  readonly rule_name: string
  readonly hook: string
  readonly verdict: string
  readonly evidence?: Readonly<Record<string, number>>
}

/** Calls the tool and answers the receipts that it left, in their order. */
export async function receiptsOf(gateway: RunningGateway, access: Access, text: string) {
  await legacy(access, call('echo', { text }))
  const message = (await gateway.recorded(access)).at(-1)
  return (message?.legs ?? []).flatMap(({ receipts }) => receipts) as readonly ShownReceipt[]
}
