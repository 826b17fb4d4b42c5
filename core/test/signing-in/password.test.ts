import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { startGateway } from '../gateway.js'
import { givePassword, openBrowser, PASSWORD, signedInBrowser } from '../people.js'

const gateway = await startGateway()
test.after(() => gateway.stop())

test('a person signs in with their password, goes where they wanted, and signs out', async () => {
  await gateway.api('POST', '/users', { email: 'ada@example.com', name: 'Ada <b>' })
  await givePassword(gateway, 'ada@example.com')
  const browser = openBrowser(gateway.url)
  assert.is((await browser.get('/auth/account')).path, '/auth/signin?to=%2Fauth%2Faccount')
  const wrong = await browser.submit('/auth/signin', { email: 'ada@example.com', password: 'wrong' })
  assert.is(wrong.status, 401)
  const right = await browser.submit('/auth/signin?to=/auth/account?x=1', {
    email: ' ADA@example.com',
    password: PASSWORD,
  })
  assert.equal([right.status, right.path], [200, '/auth/account?x=1'])
  assert.match(right.text, 'Ada &lt;b&gt;')
  assert.is((await browser.get('/auth/signin?to=https://evil.example/')).path, '/auth/account')
  await browser.submit('/auth/account', {}, '/auth/signout')
  assert.is(browser.cookie('gh_session'), undefined)
  assert.match((await browser.get('/auth/account')).path, '/auth/signin')
})

test('a helper signs a new person in', async () => {
  const browser = await signedInBrowser(gateway, 'grace@example.com', { role: 'administrator' })
  assert.match((await browser.get('/auth/account')).text, 'grace@example.com')
})

test.run()
