import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { asGatehouseError } from '../../../errors.js'
import { createSsoPages } from './index.js'
import type { SsoOptions } from './options.js'

const server = createServer()
test.after(() => (server.closeAllConnections(), void server.close()))

test('who has a network of 64 bits has no more tries than who has one address', async () => {
  let count = 0
  const pages = createSsoPages({
    addressOf: () => `2001:db8::${(count += 1).toString(16)}`,
    turnedAway: async () => undefined,
    idps: () => [],
    url: () => 'https://gate.example.com',
    trips: { end: () => Promise.reject(new Error('no such trip')) },
    browser: { browserId: () => 'b' },
  } as unknown as SsoOptions)
  const app = new Koa()
  app.use((ctx, next) => next().catch((thrown: unknown) => void (ctx.status = asGatehouseError(thrown).entry.http)))
  app.use(pages)
  server.on('request', app.callback())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth/sso`
  for (const [method, path, most] of [
    ['GET', 'start?idp=x', 120],
    ['GET', 'callback?state=x', 120],
    ['POST', 'backchannel', 300],
  ] as const) {
    const ask = async () => (await fetch(`${url}/${path}`, { method })).status
    for (let at = 0; at < most; at += 1) assert.is.not(await ask(), 429)
    assert.is(await ask(), 429, path)
  }
})

test.run()
