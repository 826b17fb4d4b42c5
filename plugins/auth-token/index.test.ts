import { createHash, randomBytes } from 'node:crypto'
import type { Credentials } from '@gatehouse/sdk'
import { startPlugin } from '@gatehouse/sdk/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import plugin from './index.js'

const mint = () => `API_${randomBytes(32).toString('base64url')}`
const credentials = (authorization: string | undefined): Credentials => ({
  authorization,
  header: () => assert.unreachable('no other header is looked at') as never,
  address: '::1',
  gatewayId: null,
})
async function identify(authorization: string | undefined) {
  const host = await startPlugin(plugin)
  const answer = await host.ask('auth.identify', credentials(authorization))
  return { answer, log: host.log }
}

test('a token is answered by its SHA-256 in lower-case hex', async () => {
  const token = 'API_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
  const { answer } = await identify(`Bearer ${token}`)
  // printf API_AAA… | sha256sum
  assert.equal(answer, { kind: 'token', hash: '168d462f770f5c4f44574a37de6fb271e4c2ad15f320cc58884c2fa35b0a4ce9' })
})

test('every token that is minted is taken, and the hash covers all of it', async () => {
  for (let n = 0; n < 200; n++) {
    const token = mint()
    const { answer } = await identify(`Bearer ${token}`)
    assert.equal(answer, { kind: 'token', hash: createHash('sha256').update(token).digest('hex') })
  }
})

test('what the authorization server gave out is taken, whatever it begins with', async () => {
  for (const token of [randomBytes(32).toString('base64url'), `API_${'A'.repeat(39)}`, '-'.repeat(43)]) {
    const { answer } = await identify(`Bearer ${token}`)
    assert.equal(answer, { kind: 'token', hash: createHash('sha256').update(token).digest('hex') })
  }
})

test('the scheme is of any case and may be followed by several spaces', async () => {
  const token = mint()
  for (const scheme of ['Bearer ', 'bearer ', 'BEARER ', 'Bearer   ']) {
    const { answer } = await identify(`${scheme}${token}`)
    assert.is(answer.kind, 'token', scheme)
  }
})

test('a malformed token of ours is refused, so that no other plugin is asked', async () => {
  const token = mint()
  const malformed = [
    'API_',
    token.slice(0, -1),
    `${token}A`,
    `${token} `,
    `${token}\n`,
    `${token}, Bearer ${token}`,
    `API_${'ä'.repeat(43)}`,
    `API_${'+'.repeat(43)}`,
    `API_${'A'.repeat(100_000)}`,
  ]
  for (const text of malformed) {
    const { answer } = await identify(`Bearer ${text}`)
    assert.is(answer.kind, 'refused', text.slice(0, 60))
  }
})

test('whatever is not ours is left to others', async () => {
  const others = [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    `Basic ${mint()}`,
    mint(),
    `Token ${mint()}`,
    `XBearer ${mint()}`,
    'Bearer eyJhbGciOi.J9.x',
    `Bearer x${mint()}`,
    `Bearer ${mint().toLowerCase()}`,
    'Bearer gpat_x',
  ]
  for (const text of others) {
    const { answer } = await identify(text)
    assert.equal(answer, { kind: 'notMine' }, text)
  }
})

test('the token stands in no answer and in no log', async () => {
  const token = mint()
  for (const text of [`Bearer ${token}`, `Bearer ${token}x`, `Bearer ${token.slice(0, 40)}`, `Basic ${token}`]) {
    const said = JSON.stringify(await identify(text))
    for (const secret of [token, token.slice(4, 30)]) assert.not.match(said, secret)
  }
})

test('it takes no configuration', async () => {
  let refused = ''
  await startPlugin(plugin, { secret: 'x' }).catch((thrown: Error) => (refused = thrown.message))
  assert.match(refused, '"secret"')
})

test.run()
