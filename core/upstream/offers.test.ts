import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { GatewayPlan } from '../domain/snapshot.js'
import { accessAs, accessBut, FakeUpstreams, infosOf, open, plan, server } from './catalog-testing.js'
import { createOffers, type Capability } from './offers.js'
import type { ServerInfo } from './types.js'

const MANY: Readonly<Record<string, JsonObject>> = {
  tools: { tools: {} },
  rich: {
    ...{ tools: {}, prompts: {}, resources: { subscribe: true }, logging: {}, completions: {}, tasks: { list: {} } },
    extensions: {
      'io.modelcontextprotocol/ui': { mimeTypes: ['text/html'] },
      'io.modelcontextprotocol/tasks': {},
      'com.example/own': {},
    },
  },
  texts: { prompts: {}, resources: {} },
}

function bench(
  changes: Readonly<Record<string, Partial<ServerInfo>>> = {},
  patience?: Parameters<typeof createOffers>[1],
) {
  const upstreams = new FakeUpstreams()
  for (const [slug, capabilities] of Object.entries(MANY)) upstreams.infos.set(slug, { capabilities, ...changes[slug] })
  for (const [slug, info] of Object.entries(changes))
    upstreams.infos.set(slug, { ...upstreams.infos.get(slug), ...info })
  return { upstreams, offers: createOffers(infosOf(upstreams), patience) }
}
const CHANGING = { listChanged: true }
const EVERYTHING = { tools: CHANGING, prompts: CHANGING, resources: CHANGING }

test('a gateway offers what its servers have together, and announces changes of all of it', async () => {
  const { offers } = bench()
  const { capabilities } = await offers.of(plan(['tools', 'texts']), open, 'legacy')
  assert.equal(capabilities, EVERYTHING)
  assert.equal((await offers.of(plan(['tools']), open, 'legacy')).capabilities, { tools: CHANGING })
})

test('logging, completions and subscriptions are offered if any server has them; tasks are not', async () => {
  const { offers } = bench()
  const { capabilities } = await offers.of(plan(['tools', 'rich']), open, 'legacy')
  assert.equal(capabilities, {
    ...{ tools: CHANGING, prompts: CHANGING, resources: { listChanged: true, subscribe: true } },
    ...{ completions: {}, logging: {} },
    extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html'] } },
  })
})

test('an extension that nobody here knows is offered for a single server of the caller’s own era', async () => {
  const { offers } = bench()
  const ids = async (of: GatewayPlan, era: 'legacy' | 'modern') =>
    Object.keys((await offers.of(of, open, era)).capabilities['extensions'] ?? {})
  assert.equal(await ids(plan(['rich']), 'legacy'), ['io.modelcontextprotocol/ui', 'com.example/own'])
  assert.equal(await ids(plan(['rich']), 'modern'), ['io.modelcontextprotocol/ui'])
})

test('nothing is offered of a server that the caller may not see', async () => {
  const { offers } = bench({ rich: { instructions: 'Secret.' } })
  for (const state of ['disabled', 'connect_required'] as const) {
    const access = accessBut('rich', { state, reason: 'no' })
    const offer = await offers.of(plan(['tools', 'rich']), access, 'legacy')
    assert.equal(offer, { capabilities: { tools: CHANGING }, instructions: null })
  }
})

test('of a server whose credential expired there is offered what it last had', async () => {
  const { offers } = bench()
  await offers.of(plan(['rich']), accessAs('mine'), 'legacy')
  const access = accessBut('rich', { state: 'connect_required', reason: 'expired', lastSeenAs: 'mine' })
  const { capabilities } = await offers.of(plan(['tools', 'rich']), access, 'legacy')
  assert.ok(capabilities['logging'])
})

test('a server that says nothing may have tools, prompts and resources, and delays nobody for long', async () => {
  const { offers, upstreams } = bench({}, { legacy: 30, modern: 30 })
  upstreams.info = () => new Promise(() => undefined)
  for (const era of ['legacy', 'modern'] as const)
    assert.equal((await offers.of(plan(['tools']), open, era)).capabilities, EVERYTHING)
})

test('a session, which is told but once what there is, waits for a server that needs a moment to start', async () => {
  const { offers, upstreams } = bench({}, { legacy: 20_000, modern: 20 })
  const known = await upstreams.info({ server: server('tools'), key: 'public' } as Parameters<typeof upstreams.info>[0])
  let say: () => void = () => undefined
  upstreams.info = () => new Promise((resolve) => (say = () => resolve(known)))
  assert.equal((await offers.of(plan(['tools']), open, 'modern')).capabilities, EVERYTHING)
  const told = offers.of(plan(['tools']), open, 'legacy')
  say()
  assert.equal((await told).capabilities, { tools: CHANGING })
})

test('a gateway without servers offers what a gateway always has', async () => {
  const { offers } = bench()
  assert.equal((await offers.of(plan([]), open, 'modern')).capabilities, EVERYTHING)
})

test('instructions stand under the title of their server, in gateway order, each cut and all cut', async () => {
  const long = { instructions: 'x'.repeat(10_000) }
  const { offers } = bench({ tools: { instructions: ' Be kind. ' }, rich: long, texts: { instructions: '  ' } })
  const named = (slug: string) => ({ server: server(slug, { title: `The ${slug}` }) })
  const { instructions } = await offers.of(plan([named('tools'), named('texts'), named('rich')]), open, 'legacy')
  assert.is(instructions, `## The tools\n\nBe kind.\n\n## The rich\n\n${'x'.repeat(4_096)}`)
  const five = plan(['a', 'b', 'c', 'd', 'e'].map((as) => ({ ...named('rich'), as })))
  assert.is((await offers.of(five, open, 'legacy')).instructions?.length, 16_384)
})

test('instructions for another’s credential are told to nobody else', async () => {
  const { offers, upstreams } = bench({ tools: { instructions: 'For Ana.' } })
  assert.match((await offers.of(plan(['tools']), accessAs('ana'), 'legacy')).instructions ?? '', 'For Ana.')
  upstreams.info = () => new Promise(() => undefined)
  const offer = await offers.of(plan(['tools']), accessAs('bob'), 'legacy')
  assert.equal(offer, { capabilities: { tools: CHANGING }, instructions: null }, 'what it has is no secret of hers')
})

test('what no server has is known when all have been heard, and not before', async () => {
  const { offers, upstreams } = bench()
  const may = (of: GatewayPlan, capability: Capability, access = open) => offers.mayHave(of, access, capability)
  assert.is(may(plan(['tools', 'texts']), 'logging'), true, 'nobody has been heard')
  await offers.of(plan(['tools', 'texts', 'rich']), open, 'legacy')
  assert.is(may(plan(['tools', 'texts']), 'logging'), false)
  assert.is(may(plan(['tools', 'texts']), 'subscribe'), false)
  assert.is(may(plan(['tools', 'rich']), 'subscribe'), true)
  const waiting = accessBut('texts', { state: 'connect_required', reason: 'no' })
  assert.is(may(plan(['tools', 'texts']), 'logging', waiting), true, 'whose turn is still to come')
  upstreams.down = { serverId: 'server-tools', since: Date.now() }
  assert.is(may(plan(['tools', 'texts']), 'prompts'), true, 'a server that is down has what it had')
  assert.is(may(plan([]), 'tools'), true)
})

test.run()
