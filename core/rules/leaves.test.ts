import type { FeatureKind, JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { rewrite, walk } from './leaves.js'
import type { Leg } from './shape.js'

const values = (message: JsonObject, leg: Leg, kind: FeatureKind = 'tool') =>
  walk(message, leg, kind).values.map(({ text }) => text)
const keys = (message: JsonObject, leg: Leg, kind: FeatureKind = 'tool') =>
  walk(message, leg, kind)
    .all()
    .flatMap((leaf) => (leaf.kind === 'key' ? [leaf.text] : []))

/** The message with every occurrence of `from` in its values replaced. */
function swap(message: JsonObject, leg: Leg, from: string, to: string, kind: FeatureKind = 'tool'): JsonObject {
  const changed = new Map<number, string>()
  walk(message, leg, kind).values.forEach(({ text }, index) => {
    if (text.includes(from)) changed.set(index, text.replaceAll(from, to))
  })
  return rewrite(message, leg, kind, changed)
}

const text = (value: string) => ({ type: 'text', text: value })

test('the request leg shows the arguments and nothing of the envelope', () => {
  const params = { name: 'find', _meta: { progressToken: 'p' }, arguments: { q: 'x', deep: [{ a: 'y' }, true, null] } }
  assert.equal(values(params, 'request'), ['x', 'y'])
  assert.equal(keys(params, 'request'), ['q', 'deep', 'a'])
  assert.not.match(walk(params, 'request', 'tool').all().at(-1)?.text ?? '', 'find')
})

test('the answers to the questions of a server are looked at like arguments', () => {
  const params = { name: 'find', inputResponses: { ask: { action: 'accept', content: { ssn: 's' } } } }
  assert.ok(values(params, 'request').includes('s'))
})

test('what a client sends beside the arguments reaches the server, and is looked at too', () => {
  const params = {
    name: 'find',
    _meta: { 'acme/note': 'one', progressToken: 'p' },
    task: { note: 'two' },
    extra: 'three',
    arguments: {},
  }
  assert.equal(values(params, 'request'), ['one', 'two', 'three'])
  const asked = { ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'a', value: 'four' } }
  assert.equal(values(asked, 'request', 'prompt'), ['a', 'four'])
  const whole =
    walk({ ...params, requestState: 'state' }, 'request', 'tool')
      .all()
      .at(-1)?.text ?? ''
  assert.match(whole, 'three')
  assert.not.match(whole, /find|state/)
})

test('the state of a question is a mark that no rule can meet; under any other result it is a text', () => {
  const asks = { resultType: 'input_required', inputRequests: { k: { method: 'm', params: { message: 'q' } } } }
  const state = { requestState: 'gh1.4929-1234' }
  assert.equal(values({ ...asks, ...state }, 'response'), ['m', 'q'])
  assert.not.match(
    walk({ ...asks, ...state }, 'response', 'tool')
      .all()
      .at(-1)?.text ?? '',
    '4929',
  )
  assert.equal(values({ resultType: 'complete', content: [], ...state }, 'response'), ['gh1.4929-1234'])
  assert.equal(values({ content: [], ...state }, 'response'), ['gh1.4929-1234'])
  assert.equal(values({ ...asks, requestState: { text: 'one' } }, 'response'), ['m', 'q', 'one'])
})

test('a result of another shape than its kind hides nothing', () => {
  assert.equal(values({ content: 'one' }, 'response'), ['one'])
  assert.equal(values({ content: ['one', ['two']], toolResult: { a: 'three' } }, 'response'), ['one', 'two', 'three'])
  assert.equal(values({ content: [{ type: 'text', text: 'one', data: 'two' }] }, 'response'), ['one', 'two'])
  assert.equal(values({ completion: { values: ['one'] } }, 'response', 'prompt'), ['one'])
  const prompt = { messages: [{ role: 'user', content: text('one'), aside: 'two' }, 'three'] }
  assert.equal(values(prompt, 'response', 'prompt'), ['one', 'two', 'three'])
  assert.equal(values({ isError: true, resultType: 'complete', content: [] }, 'response'), [])
})

test('the uri of a resource can be found but not rewritten', () => {
  const params = { uri: 'file:///secret' }
  assert.equal(values(params, 'request', 'resource'), [])
  assert.equal(keys(params, 'request', 'resource'), ['file:///secret'])
})

test('texts, embedded resources, links, structured content and unknown content are shown', () => {
  const result = {
    content: [
      text('one'),
      { type: 'resource', resource: { uri: 'u://1', mimeType: 'text/plain', text: 'two' } },
      { type: 'resource_link', uri: 'u://2', name: 'three', description: 'four' },
      { type: 'novel', data: 'AAAA', inner: { caption: 'five', blob: 'BBBB' } },
    ],
    structuredContent: { rows: ['six'] },
  }
  assert.equal(values(result, 'response').toSorted(), ['five', 'four', 'one', 'six', 'three', 'two'])
})

test('base64 is not shown, not even in the whole', () => {
  const result = {
    content: [
      { type: 'image', data: 'QUJD', mimeType: 'image/png' },
      { type: 'resource', resource: { uri: 'u://1', blob: 'REVG' } },
    ],
  }
  assert.equal(values(result, 'response'), [])
  assert.not.match(walk(result, 'response', 'tool').all().at(-1)?.text ?? '', /QUJD|REVG/)
})

test('text cannot hide under a key that is meant for base64', () => {
  assert.equal(values({ content: [{ type: 'novel', data: { note: 'secret' } }] }, 'response'), ['secret'])
})

test('what a server says aside in _meta is shown, the marks of the protocol are not', () => {
  const result = {
    _meta: { 'io.modelcontextprotocol/related-task': { taskId: 't' }, 'acme/rows': ['secret'] },
    content: [],
  }
  assert.equal(values(result, 'response'), ['secret'])
})

test('prompts show their description and messages, resources their texts', () => {
  const prompt = {
    description: 'd',
    messages: [
      { role: 'user', content: text('m') },
      { role: 'user', content: [text('n')] },
    ],
  }
  assert.equal(values(prompt, 'response', 'prompt'), ['d', 'm', 'n'])
  const resource = {
    contents: [
      { uri: 'u://1', mimeType: 'text/plain', text: 't' },
      { uri: 'u://2', blob: 'QQ==' },
    ],
  }
  assert.equal(values(resource, 'response', 'resource'), ['t'])
})

test('rewriting touches nothing else: order of keys and identity of what did not change are kept', () => {
  const message = { b: 1, arguments: { z: 'keep', a: { s: 'secret' }, m: { t: 'keep' } }, name: 'n' }
  const changed = swap(message, 'request', 'secret', '***')
  assert.is(JSON.stringify(changed), JSON.stringify(message).replace('secret', '***'))
  assert.is((changed['arguments'] as JsonObject)['m'], message.arguments.m)
  assert.is(message.arguments.a.s, 'secret')
  assert.is(swap(message, 'request', 'absent', ''), message)
})

test('a key named __proto__ is data like any other', () => {
  const message = JSON.parse('{"arguments":{"__proto__":{"s":"secret"}}}') as JsonObject
  const changed = swap(message, 'request', 'secret', '*')
  assert.is(JSON.stringify(changed), '{"arguments":{"__proto__":{"s":"*"}}}')
  assert.is(Object.getPrototypeOf(changed['arguments']), Object.prototype)
})

test('a long number is a text; changed it becomes a string, a short one is left alone', () => {
  const message = { arguments: { card: 4111111111111111, page: 3 } }
  assert.equal(values(message, 'request'), ['4111111111111111'])
  assert.equal(swap(message, 'request', '4111111111111111', '****'), { arguments: { card: '****', page: 3 } })
  assert.equal(swap(message, 'request', '4111111111111111', '0'), { arguments: { card: 0, page: 3 } })
})

test('the text mirror of structured content is made anew from it, in its own spacing', () => {
  const structuredContent = { a: 'say "secret"', b: [4111111111111111] }
  for (const spacing of [0, 2]) {
    const result = { content: [text(JSON.stringify(structuredContent, null, spacing))], structuredContent }
    assert.equal(values(result, 'response'), ['say "secret"', '4111111111111111'])
    const changed = swap(result, 'response', 'secret', '"')
    const expected = { a: 'say """', b: [4111111111111111] }
    assert.equal(changed, { content: [text(JSON.stringify(expected, null, spacing))], structuredContent: expected })
  }
})

test('a mirror in another spelling leaks nothing either', () => {
  const structuredContent = { a: 'secret é', b: 1 }
  const result = { content: [text('{ "b": 1, "a": "secret \\u00e9" }')], structuredContent }
  const changed = JSON.stringify(swap(result, 'response', 'secret', '*'))
  assert.not.match(changed, 'secret')
})

test('a mirror that gives a key twice hides nothing', () => {
  const result = { content: [text('{"a":"secret","a":"x"}')], structuredContent: { a: 'x' } }
  assert.not.match(JSON.stringify(swap(result, 'response', 'secret', '*')), 'secret')
})

test('a message nested without end is refused, not followed', () => {
  const message = JSON.parse(`{"arguments":${'['.repeat(5_000)}"x"${']'.repeat(5_000)}}`) as JsonObject
  assert.throws(
    () => walk(message, 'request', 'tool'),
    (error: { code?: string }) => error.code === 'GH_INSPECT_DEPTH',
  )
})

test.run()
