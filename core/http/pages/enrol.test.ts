import type { Context } from 'koa'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { GatehouseError } from '../../errors.js'
import type { SignedIn } from '../../identity/console-sessions.js'
import type { Enrolment, Standing } from '../../identity/enrolment.js'
import { isComplete, showStandings, takeEnrolment } from './enrol.js'
import { html } from './html.js'

const standing = (id: string, more: Partial<Standing> = {}): Standing => ({
  server: { id, title: `<${id}>` } as Standing['server'],
  prefix: id,
  state: 'missing',
  method: 'oauth',
  headers: [],
  ...more,
})
const signedIn = { user: { id: 'u' }, sessionHash: 'hash' } as SignedIn
const forms = { action: '/connect/x', field: html`<input name="_form" value="t" />` }

function scene(standings: readonly Standing[]) {
  const given: unknown[] = []
  const enrolment: Enrolment = {
    standing: async () => standings,
    begin: async (trip) => (given.push(trip), 'https://as.example.com/authorize'),
    giveHeaders: async (...args) => void given.push(args),
  }
  const sent = { status: 0, to: '' }
  const ctx = {
    set status(code: number) {
      sent.status = code
    },
    redirect: (to: string) => void (sent.to = to),
  } as unknown as Context
  const take = (fields: Record<string, string>) =>
    takeEnrolment(ctx, new URLSearchParams(fields), { enrolment, signedIn, standings, returnTo: '/connect/x' })
  return { given, sent, take }
}

test('only what is missing has a form, and names are escaped', () => {
  const shown = showStandings([standing('a'), standing('b', { state: 'ready' })], forms).text
  assert.is(shown.match(/<form/g)?.length, 1)
  assert.match(shown, '&lt;a&gt;')
  assert.not.match(shown, '<a>')
  assert.match(shown, 'name="_form"')
  assert.is(
    showStandings([standing('b', { state: 'ready' })], { ...forms, renews: true }).text.match(/<form/g)?.length,
    1,
  )
  assert.is(isComplete([standing('b', { state: 'ready' }), standing('c', { state: 'disabled' })]), true)
  assert.is(isComplete([standing('b', { state: 'needs_reauth' })]), false)
})

test('a sign-in is begun for the session that asked, and comes back to the page', async () => {
  const { given, sent, take } = scene([standing('a')])
  await take({ server: 'a' })
  assert.equal(sent, { status: 303, to: 'https://as.example.com/authorize' })
  assert.equal(given, [{ user: { id: 'u' }, sessionHash: 'hash', serverId: 'a', returnTo: '/connect/x' }])
})

test('header values are kept for exactly the names that are asked for', async () => {
  const { given, sent, take } = scene([standing('a', { method: 'headers', headers: ['X-Key'] })])
  await take({ server: 'a', 'header.X-Key': ' v ', 'header.Cookie': 'no' })
  assert.equal(given, [[{ id: 'u' }, 'a', { 'X-Key': 'v' }]])
  assert.equal(sent, { status: 303, to: '/connect/x' })
})

test('a server that is not shown takes no credential', async () => {
  const { given, take } = scene([standing('a')])
  try {
    await take({ server: 'b' })
    assert.unreachable()
  } catch (thrown) {
    assert.is((thrown as GatehouseError).code, 'GH_API_NOT_FOUND')
  }
  assert.equal(given, [])
})

test('a server that is switched off takes none either: nobody is sent to its sign-in', async () => {
  const methods = [standing('a', { state: 'disabled' }), standing('b', { state: 'disabled', method: 'headers' })]
  const { given, take } = scene(methods)
  for (const { server } of methods) {
    const thrown = await take({ server: server.id }).catch((error: unknown) => error)
    assert.is((thrown as GatehouseError | undefined)?.code, 'GH_PERMIT_DISABLED')
  }
  assert.equal(given, [])
})

test.run()
