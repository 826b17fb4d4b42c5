import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  isPrefixed,
  prefixUri,
  publicResult,
  publicTool,
  sameUri,
  schemeSafe,
  unprefixUri,
  uriCandidates,
} from './uris.js'

const toCrm = (uri: string) => prefixUri('crm', uri)

test('the first comer wants its bare URI, a later one the prefixed', () => {
  assert.equal(uriCandidates('collision', 'crm', 'file:///a'), ['file:///a', 'gh+crm+file:///a'])
  assert.equal(uriCandidates('always', 'crm', 'file:///a'), ['gh+crm+file:///a'])
  assert.equal(uriCandidates('never', 'crm', 'file:///a'), ['file:///a'])
})

test('within ui the scheme stays', () => {
  assert.is(prefixUri('crm', 'ui://app/main'), 'ui://crm+app/main')
})

test('prefixing is undone exactly, for any URI and template', () => {
  const uris = ['file:///a+b', 'ui://app', 'ui://x+y/z', 'gh+other+file:///a', 'test://t/{id}{?q}', 'urn:x', '']
  for (const prefix of ['crm', 'crm-2', 'a.b', 'under_score', 'pl+us'])
    for (const uri of uris) assert.equal(unprefixUri(prefixUri(prefix, uri)), { mark: schemeSafe(prefix), uri })
})

test('prefixes that look alike once made safe stay apart', () => {
  assert.is.not(schemeSafe('a_b'), schemeSafe('a-b'))
  assert.is.not(schemeSafe('a_b'), schemeSafe('a+b'))
})

test('a server cannot take a URI that would pass for another server’s', () => {
  assert.equal(uriCandidates('collision', 'evil', 'gh+crm+file:///a'), ['gh+evil+gh+crm+file:///a'])
  assert.equal(uriCandidates('collision', 'evil', 'ui://crm+app'), ['ui://evil+crm+app'])
})

test('an ordinary URI is not taken for a prefixed one', () => {
  for (const uri of ['file:///a+b', 'ui://app/a+b', 'git+ssh://x', 'gh:a+b']) assert.not.ok(isPrefixed(uri), uri)
})

test('links and embedded resources of a result get their public URI, and unknown keys stay', () => {
  const result = {
    content: [
      { type: 'text', text: 'file:///a' },
      { type: 'resource_link', uri: 'file:///a', name: 'a', x: 1 },
      { type: 'resource', resource: { uri: 'file:///b', text: 'b' }, y: 2 },
      { type: 'novel', uri: 'file:///c' },
    ],
    z: 3,
  }
  assert.equal(publicResult(result, toCrm), {
    content: [
      { type: 'text', text: 'file:///a' },
      { type: 'resource_link', uri: 'gh+crm+file:///a', name: 'a', x: 1 },
      { type: 'resource', resource: { uri: 'gh+crm+file:///b', text: 'b' }, y: 2 },
      { type: 'novel', uri: 'file:///c' },
    ],
    z: 3,
  })
})

test('what is read, what a prompt embeds and what was updated get their public URI', () => {
  assert.equal(publicResult({ contents: [{ uri: 'a:1', text: '' }] }, toCrm), {
    contents: [{ uri: 'gh+crm+a:1', text: '' }],
  })
  const block = { type: 'resource', resource: { uri: 'a:1' } }
  const expected = { type: 'resource', resource: { uri: 'gh+crm+a:1' } }
  assert.equal(publicResult({ messages: [{ role: 'user', content: block }] }, toCrm), {
    messages: [{ role: 'user', content: expected }],
  })
  assert.equal(publicResult({ messages: [{ role: 'user', content: [block] }] }, toCrm), {
    messages: [{ role: 'user', content: [expected] }],
  })
  assert.equal(publicResult({ uri: 'a:1' }, toCrm), { uri: 'gh+crm+a:1' })
})

test('a result without URIs, or with a mapping that changes none, is the same object', () => {
  const result = { content: [{ type: 'resource_link', uri: 'file:///a' }] }
  assert.is(publicResult(result, sameUri), result)
  assert.is(
    publicResult(result, (uri) => uri),
    result,
  )
  const plain = { content: [{ type: 'text', text: 'x' }], structuredContent: { uri: 'file:///a' } }
  assert.is(publicResult(plain, toCrm), plain)
})

test('the app of a tool is found under its public URI in both spellings', () => {
  const tool = { name: 't', _meta: { ui: { resourceUri: 'ui://app', v: 1 }, 'ui/resourceUri': 'ui://app', other: 2 } }
  assert.equal(publicTool(tool, toCrm), {
    name: 't',
    _meta: { ui: { resourceUri: 'ui://crm+app', v: 1 }, 'ui/resourceUri': 'ui://crm+app', other: 2 },
  })
  assert.is(publicTool(tool, sameUri), tool)
  const plain = { name: 't', _meta: { other: 2 } }
  assert.is(publicTool(plain, toCrm), plain)
})

test.run()
