// time-limit: 120
import { rm } from 'node:fs/promises'
import { availableParallelism, loadavg } from 'node:os'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, legacy } from '../door.js'
import { makeHome, startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'

const accessOf = ({ banner }: RunningGateway): Access => {
  const [, url = ''] = /MCP URL: +(\S+)/.exec(banner) ?? []
  const [, token = ''] = /Token: +(API_\S+)/.exec(banner) ?? []
  return { url, token, tokenId: '', host: 'quickstart' }
}
const search = call('search_docs', { query: 'first call' })

test('a second start on the embedded database is ready in three seconds, with the same token and all that was there', async () => {
  const home = await makeHome()
  const first = await startGateway({ home, databaseUrl: null })
  const access = accessOf(first)
  assert.match(access.token, /^API_/)
  assert.match(first.banner, new RegExp(`claude mcp add .*${access.token}`))
  assert.ok((await legacy(access, search)).json.result, 'the first call works')
  await first.api('POST', '/servers', { slug: 'kept', url: 'http://127.0.0.1:9009/mcp' })
  await first.stop()

  // One quiet start of three is enough to tell; on a machine that is busy with other things, its share of three seconds.
  let took = Infinity
  const most = () => 3_000 * Math.max(1, (loadavg()[0] ?? 0) / availableParallelism())
  for (let n = 0; n < 3 && took > most(); n += 1) {
    const from = performance.now()
    const again = await startGateway({ home, databaseUrl: null })
    took = Math.min(took, performance.now() - from)
    const now = accessOf(again)
    assert.is(now.token, access.token)
    const { json, text } = await legacy(now, search)
    assert.ok(json?.result, text)
    assert.is((await again.api('GET', '/servers/kept'))['slug'], 'kept')
    await again.stop()
  }
  assert.ok(took < most(), `it took ${took} ms`)
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

test('after kill -9 it starts again by itself, with the same token', async () => {
  const home = await makeHome()
  const first = await startGateway({ home, databaseUrl: null })
  const { token } = accessOf(first)
  await first.kill()
  const again = await startGateway({ home, databaseUrl: null })
  assert.is(accessOf(again).token, token)
  await until('it serves', async () => ((await legacy(accessOf(again), search)).json?.result ? true : undefined))
  await again.stop()
  await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

test.run()
