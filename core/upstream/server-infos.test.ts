import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { InfoRepository } from '../domain/store.js'
import { FakeUpstreams, accessAs, plan, server } from './catalog-testing.js'
import { createServerInfos } from './server-infos.js'
import type { ServerInfo, Target } from './types.js'

const targetOf = (of = server('a'), key = 'public') =>
  accessAs(key).target(plan([{ server: of }]).assignments[0]!) as Target
const patience = 50

function savedIn(kept = new Map<string, { info: object; at: number }>()): InfoRepository {
  return {
    load: async (serverId, key) =>
      (kept.get(`${serverId} ${key}`) ?? null) as Awaited<ReturnType<InfoRepository['load']>>,
    save: async (serverId, key, info, at) => void kept.set(`${serverId} ${key}`, { info, at }),
  }
}

function bench({ saved = savedIn(), upstreams = new FakeUpstreams() } = {}) {
  const log = { warn: () => {} }
  const clock = { now: Date.parse('2026-10-01T00:00:00Z') }
  const start = () => createServerInfos({ upstreams, saved, log, now: () => clock.now })
  return { upstreams, clock, infos: start(), restart: start }
}
const never = () => new Promise<ServerInfo>(() => undefined)

test('what a server said is known at once, once it was asked', async () => {
  const { infos, upstreams } = bench()
  upstreams.infos.set('a', { instructions: 'Hello.' })
  const of = { server: server('a'), key: 'public' }
  assert.is(infos.known(of), null)
  await infos.learn([targetOf()], patience)
  assert.is(infos.known(of)?.instructions, 'Hello.')
  upstreams.info = never
  await infos.learn([targetOf()], patience)
  assert.is(infos.known(of)?.instructions, 'Hello.', 'and not asked again')
})

test('what was said to one credential is told to another only as the word of any', async () => {
  const { infos } = bench()
  await infos.learn([targetOf(server('a'), 'mine')], patience)
  const other = { server: server('a'), key: 'theirs' }
  assert.is(infos.known(other), null)
  assert.ok(infos.knownToAny(other))
  assert.is(infos.knownToAny({ server: server('b'), key: 'theirs' }), null)
})

test('a server that hangs is waited for as long as was said, and its late answer is known', async () => {
  const { infos, upstreams } = bench()
  const info = await upstreams.info(targetOf())
  let answer: (info: ServerInfo) => void = () => undefined
  upstreams.info = () => new Promise((resolve) => (answer = resolve))
  await infos.learn([targetOf()], patience)
  assert.is(infos.known({ server: server('a'), key: 'public' }), null)
  answer(info)
  await infos.learn([targetOf()], 5_000)
  assert.ok(infos.known({ server: server('a'), key: 'public' }))
})

test('a server that is known to be down is asked, but not waited for', async () => {
  const { infos, upstreams } = bench()
  upstreams.down = { serverId: 'server-a', since: 1 }
  let asked = 0
  upstreams.info = () => ((asked += 1), never())
  await infos.learn([targetOf()], 60_000)
  await infos.learn([targetOf()], 60_000)
  assert.is(asked, 1, 'one question at a time')
})

test('a server that failed is left alone for a while', async () => {
  const { infos, upstreams, clock } = bench()
  let asked = 0
  upstreams.info = async () => {
    asked += 1
    throw new Error('no')
  }
  for (let n = 0; n < 3; n++) await infos.learn([targetOf()], patience)
  assert.is(asked, 1)
  clock.now += 5_000
  await infos.learn([targetOf()], patience)
  assert.is(asked, 2)
})

test('what is known survives a restart while the server is down', async () => {
  const { infos, upstreams, restart } = bench()
  upstreams.infos.set('a', { instructions: 'Hello.' })
  await infos.ask(targetOf(), Date.now() + 1_000)
  upstreams.info = never
  const anew = restart()
  await anew.learn([targetOf()], 5_000)
  assert.is(anew.known({ server: server('a'), key: 'public' })?.instructions, 'Hello.')
})

test('what was said before a change of the server’s configuration counts no more, after a restart neither', async () => {
  const { infos, upstreams, clock, restart } = bench()
  await infos.ask(targetOf(), Date.now() + 1_000)
  upstreams.info = never
  const changed = server('a', { updatedAt: new Date(clock.now + 1).toISOString() })
  for (const side of [infos, restart()]) {
    await side.learn([targetOf(changed)], patience)
    assert.is(side.known({ server: changed, key: 'public' }), null)
    assert.is(side.knownToAny({ server: changed, key: 'other' }), null)
  }
})

test.run()
