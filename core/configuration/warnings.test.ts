import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ListKind, SeenList } from '../domain/store.js'
import { rule } from '../rules/testing.js'
import { configurationBench } from '../test/configuration.js'
import { createMemoryStore } from '../test/memory-store.js'
import { createGateway } from './nouns/gateways.js'
import { createServer } from './nouns/servers.js'
import { warningsOf } from './warnings.js'

const entries = (kind: ListKind, ...names: readonly string[]): SeenList => ({
  kind,
  entries: names.map((name) => (kind === 'resources' ? { uri: name } : { name })),
})

/** A gateway with `crm` (as `crm-mine`) and `docs`; `shown` is what was seen of each. */
async function scene(shown: Readonly<Record<string, readonly SeenList[]>> = {}) {
  const plain = createMemoryStore()
  const names = new Map<string, string>()
  const store = { ...plain, lists: { ...plain.lists, seen: async (id: string) => shown[names.get(id) ?? ''] ?? [] } }
  const { mutations, admin } = await configurationBench({ store: plain })
  for (const slug of ['crm', 'docs']) {
    const { id } = await mutations.change(admin, (work) =>
      createServer(work, slug, { url: `https://${slug}.example.com` }),
    )
    names.set(id, slug)
  }
  const servers = [{ server: 'crm', as: 'crm-mine' }, { server: 'docs' }]
  const gateway = await mutations.change(admin, (work) => createGateway(work, 'g', { servers }))
  return async (facts: Parameters<typeof rule>[0]) =>
    (await warningsOf(store, gateway, [rule(facts)])).map(({ message }) => message)
}

const CRM = { crm: [entries('tools', 'find_contact', 'send_mail'), entries('prompts', 'greet')] }

test('a glob of servers that fits none of the gateway is told, with what was probably meant', async () => {
  const warn = await scene()
  assert.equal(await warn({ servers: ['crm-*', 'docs', 'crm'] }), [])
  assert.equal(await warn({ servers: ['dosc'] }), ["servers: 'dosc' fits no server of the gateway; did you mean docs?"])
  assert.equal(await warn({ servers: ['chat-*'] }), ["servers: 'chat-*' fits no server of the gateway"])
})

test('a glob of features that fits nothing that was seen is told; where nothing was ever seen nothing is', async () => {
  const warn = await scene(CRM)
  const crm = (...features: readonly string[]) => warn({ servers: ['crm'], features })
  assert.equal(await crm('*_contact', 'prompt:gr*', 'resource:file:*'), [])
  assert.equal(await crm('find_contcat'), [
    "features: 'find_contcat' fits no tool that its servers have shown; did you mean find_contact?",
  ])
  assert.equal(await crm('prompt:great'), [
    "features: 'prompt:great' fits no prompt that its servers have shown; did you mean prompt:greet?",
  ])
  assert.equal(await warn({ features: ['find_contcat'] }), [], 'nobody has seen what docs has')
})

test('a template of resources stands for what nobody can list', async () => {
  const template = { kind: 'templates', entries: [{ uriTemplate: 'file:///{path}' }] } as const
  const warn = await scene({ crm: [entries('resources', 'db://a'), template], docs: [entries('resources', 'db://b')] })
  assert.equal(await warn({ servers: ['crm'], features: ['resource:file:///x'] }), [])
  assert.is((await warn({ servers: ['docs'], features: ['resource:file:///x'] })).length, 1)
})

test('a word before a colon that is none of ours is told', async () => {
  const warn = await scene()
  assert.equal(await warn({ features: ['prompts:*', 'resourse:x', 'tool:find', 'urn:x'] }), [
    "features: 'prompts:*' is the name of a tool; did you mean prompt:?",
    "features: 'resourse:x' is the name of a tool; did you mean resource:?",
    "features: 'tool:find' is the name of a tool; tools are named without a word before them",
  ])
})

test('a replacement without replace and a keepLast without mask are told', async () => {
  const warn = await scene()
  const config = { replacement: 'x', keepLast: 4 }
  assert.equal(await warn({ action: 'mask', config }), ['replacement: is used by the action replace alone'])
  assert.equal(await warn({ action: 'replace', config }), ['keepLast: is used by the action mask alone'])
})

test('a file’s warnings are told with their place, and hold up nothing', async () => {
  const { files, fromFile } = await configurationBench()
  const odd = '{ name: Odd, engine: regex, hook: both, patterns: [x], action: mask, servers: [nowhere] }'
  const told: (readonly string[])[] = []
  const request = fromFile(`version: 1\ngateways: { g: { rules: [${odd}] } }\n`)
  const steps = await files.apply({ ...request, onWarnings: (lines) => told.push(lines) })
  assert.is(steps.length, 1)
  assert.equal(told.at(-1), ["gateways.g.rules[0] 'Odd': servers: 'nowhere' fits no server of the gateway"])
})

test('a thousand rules are taken, one more is not', async () => {
  const { files, fromFile, store } = await configurationBench()
  const rules = (count: number) =>
    Array.from({ length: count }, (_, n) => `{ name: r${n}, engine: regex, hook: both, patterns: [x], action: mask }`)
  const file = (count: number) => fromFile(`version: 1\ngateways: { g: { rules: [${rules(count).join(', ')}] } }\n`)
  await files.apply(file(1_000))
  assert.is((await store.gateways.byKey('g'))?.rules.length, 1_000)
  const refused = await files.plan(file(1_001)).then(
    () => '',
    (error: Error) => error.message,
  )
  assert.match(refused, 'a gateway takes 1,000 rules at most')
})

test.run()
