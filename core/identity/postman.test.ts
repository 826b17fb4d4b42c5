import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createPostman } from './postman.js'

/** A mail server with a certificate that nobody vouches for, or with none; answers what it took. */
async function mailServer(options: { readonly secure?: boolean; readonly disabledCommands?: string[] }) {
  const taken: string[] = []
  const server = new SMTPServer({
    authOptional: true,
    ...options,
    onRcptTo: ({ address }, _session, done) => {
      taken.push(address)
      done()
    },
  })
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const { port } = server.server.address() as AddressInfo
  return { port, taken, stop: () => new Promise<void>((resolve) => server.close(() => resolve())) }
}

const MAIL = { to: 'ada@example.com', subject: 's', text: 't' }
const send = (url: string, mail = MAIL) =>
  createPostman({ url, from: 'g@example.com' })(mail).then(
    () => 'sent',
    () => 'refused',
  )

test('mail goes to no server whose certificate does not hold, whatever the URL asks for', async () => {
  const server = await mailServer({ secure: true })
  for (const query of ['', '?tls.rejectUnauthorized=false', '?ignoreTLS=true'])
    assert.is(await send(`smtps://localhost:${server.port}/${query}`), 'refused')
  assert.equal(server.taken, [])
  await server.stop()
})

test('mail leaves this machine by TLS alone', async () => {
  const server = await mailServer({ disabledCommands: ['STARTTLS', 'AUTH'] })
  // An address of this machine that is not known as such.
  assert.is(await send(`smtp://0.0.0.0:${server.port}`), 'refused')
  assert.equal(server.taken, [])
  assert.is(await send(`smtp://127.0.0.1:${server.port}`), 'sent')
  assert.equal(server.taken, ['ada@example.com'])
  await server.stop()
})

test('an address is one address', async () => {
  const server = await mailServer({ disabledCommands: ['STARTTLS', 'AUTH'] })
  await send(`smtp://127.0.0.1:${server.port}`, { ...MAIL, to: 'a@example.com,b@example.com' })
  assert.not.ok(server.taken.includes('b@example.com'))
  await server.stop()
})

test.run()
