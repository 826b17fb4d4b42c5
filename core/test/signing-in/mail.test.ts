import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startGateway } from '../gateway.js'
import { openMailbox } from '../mailbox.js'
import { openBrowser, refusalsAt } from '../people.js'

const mailbox = await openMailbox()
const gateway = await startGateway({
  env: { GATEHOUSE_SMTP_URL: mailbox.url, GATEHOUSE_MAIL_FROM: 'Gatehouse <gate@example.com>' },
})
test.after(async () => {
  await gateway.stop()
  await mailbox.stop()
})

let people = 0
/** A new person who has asked for a code, in a browser that waits for it. */
async function asked() {
  const email = `person${++people}@example.com`
  await gateway.api('POST', '/users', { email })
  const browser = openBrowser(gateway.url)
  const before = mailbox.mails.length
  const page = await browser.submit('/auth/signin?to=/auth/account?x=1', { email, way: 'code' })
  const mail = await mailbox.mail(before)
  const code = /^Subject: (\d{6}) /m.exec(mail)?.[1] ?? ''
  const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0')
  return { email, browser, page, mail, code, wrong, codePage: page.path }
}

test('a code comes by mail, in plain text, and signs in the browser that asked', async () => {
  const { browser, page, mail, code, email, codePage } = await asked()
  assert.match(page.path, '/auth/code')
  assert.match(page.text, email)
  assert.match(mail, `To: ${email}`)
  assert.match(mail, 'Content-Type: text/plain')
  const other = openBrowser(gateway.url)
  assert.match((await other.get(codePage)).path, '/auth/signin')
  const done = await browser.submit(codePage, { code: `${code.slice(0, 3)} ${code.slice(3)}` })
  assert.is(done.path, '/auth/account?x=1')
  assert.match(done.text, 'e-mailed code')
})

test('an unknown address is answered alike, and no mail goes out', async () => {
  const count = mailbox.mails.length
  const known = await asked()
  const browser = openBrowser(gateway.url)
  for (const email of ['nobody@example.com', 'operator@localhost']) {
    const unknown = await browser.submit('/auth/signin', { email, way: 'code' })
    assert.is(unknown.status, known.page.status)
    const plain = (text: string) => text.replace(/[\w.]+@[\w.]+/g, '').replace(/value="[^"]*"/g, '')
    assert.is(plain(unknown.text).replaceAll('%3Fx%3D1', ''), plain(known.page.text).replaceAll('%3Fx%3D1', ''))
    const tried = await browser.submit('/auth/code', { code: '000000' })
    assert.is(tried.status, 401)
  }
  await asked()
  assert.is(mailbox.mails.length, count + 2)
})

test('five wrong tries and the code is dead, in a row as well as at once', async () => {
  const row = await asked()
  for (let n = 0; n < 5; n += 1) assert.is((await row.browser.submit(row.codePage, { code: row.wrong })).status, 401)
  assert.is((await row.browser.submit(row.codePage, { code: row.code })).status, 410)

  const race = await asked()
  const page = await race.browser.get(race.codePage)
  const form = /name="_form" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  const guess = (code: string) => race.browser.post('/auth/code', { _form: form, to: '/auth/account', code })
  const ends = await Promise.all(Array.from({ length: 20 }, () => guess(race.wrong)))
  assert.is(ends.filter(({ status }) => status === 401).length, 5)
  assert.is((await guess(race.code)).status, 410)
  const wanted = ['the code is wrong', 'no code is waited for, or it has expired']
  const reasons = await refusalsAt(gateway, 'auth/code', wanted)
  assert.not.match(reasons.join(), race.wrong)
})

test('a right code is good once, and for nobody who is disabled', async () => {
  const { browser, code, codePage, email } = await asked()
  const page = await browser.get(codePage)
  const form = /name="_form" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
  const cookie = browser.cookies()
  const come = () =>
    fetch(`${gateway.url}/auth/code`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ _form: form, code }),
    })
  const ends = await Promise.all([come(), come(), come()])
  assert.equal(ends.map(({ status }) => status).toSorted(), [303, 410, 410])

  const late = await asked()
  await gateway.api('PATCH', `/users/${late.email}`, { enabled: false })
  const refused = await late.browser.submit(late.codePage, { code: late.code })
  assert.equal([refused.status, /account is disabled/.test(refused.text)], [403, true])
  assert.is(await gateway.api('GET', `/users/${email}`).then(({ enabled }) => enabled), true)
})

test('whoever came by a code sets a new password without the old one', async () => {
  const { browser, code, codePage, email } = await asked()
  await browser.submit(codePage, { code })
  const password = 'a new one that is long'
  const set = await browser.submit('/auth/account', { password, again: password }, '/auth/account/password')
  assert.is(set.path, '/auth/account?done=password')
  assert.is((await openBrowser(gateway.url).submit('/auth/signin', { email, password })).path, '/auth/account')
})

test('an invitation goes out by mail, and its link to nobody else', async () => {
  const before = mailbox.mails.length
  const { items } = await gateway.api('POST', '/invitations', { emails: ['guest@example.com'] })
  assert.equal(
    (items as { mailed: boolean; url: null }[]).map(({ mailed, url }) => [mailed, url]),
    [[true, null]],
  )
  const mail = (await mailbox.mail(before)).replaceAll('=\r\n', '')
  const link = /\/auth\/invite\/[\w-]{43}/.exec(mail)?.[0] ?? ''
  assert.match(mail, 'To: guest@example.com')
  assert.is((await openBrowser(gateway.url).get(link)).status, 200)
})

test('one address is not flooded with codes', async () => {
  await gateway.api('POST', '/users', { email: 'flood@example.com' })
  const before = mailbox.mails.length
  const ends = []
  for (let n = 0; n < 7; n += 1)
    ends.push(
      (await openBrowser(gateway.url).submit('/auth/signin', { email: 'flood@example.com', way: 'code' })).status,
    )
  assert.equal(ends, [200, 200, 200, 200, 200, 429, 429])
  await mailbox.mail(before + 4)
  assert.is(mailbox.mails.length, before + 5)
})

test.run()
