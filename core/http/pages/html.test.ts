import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ownPath } from './browser.js'
import { html } from './html.js'

test('every value is escaped, and HTML of ours is not', () => {
  const name = `<b onclick="x('y')">&`
  assert.is(html`<p title="${name}">${html`<i>${name}</i>`}</p>`.text.match(/<b|'|"x/), null)
  assert.is(html`${[1, null, false, undefined, html`<br />`]}`.text, '1<br />')
})

test('only pages of ours are gone to afterwards', () => {
  const foreign = [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example/auth',
    '/\t/evil.example',
    '',
    '/mcp',
    null,
  ]
  for (const to of foreign) assert.is(ownPath(to, '/auth/account'), '/auth/account', String(to))
  assert.is(ownPath('/auth/../mcp/x', '/auth/account'), '/auth/account')
  assert.is(ownPath('/oauth/interaction/abc?x=1', '/auth/account'), '/oauth/interaction/abc?x=1')
})

test.run()
