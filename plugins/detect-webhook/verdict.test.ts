import type { Evaluation, Json } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { answering, PARAMS, RESULT, saying } from './testing.js'
import type { Asking } from './testing.js'
import { readVerdict } from './verdict.js'

const read = (answer: unknown) => readVerdict(new TextEncoder().encode(JSON.stringify(answer)))

test('the four verdicts are read', () => {
  assert.equal(read({ verdict: 'pass' }), { verdict: 'pass' })
  assert.equal(read({ verdict: 'block' }), { verdict: 'block', reason: '' })
  assert.equal(read({ verdict: 'block', reason: 'No  salaries\n\u202ehere' }), {
    verdict: 'block',
    reason: 'No salaries here',
  })
  assert.equal(read({ verdict: 'error', message: 'model is down' }), { verdict: 'error', message: 'model is down' })
  assert.equal(read({ verdict: 'modify', modifiedPayload: { body: {} } }), { verdict: 'modify', body: {} })
})

test('a reason is cut to 500 characters, and one that is no text is none', () => {
  const said = read({ verdict: 'block', reason: 'x'.repeat(10_000) })
  assert.is('reason' in said && said.reason.length, 500)
  assert.equal(read({ verdict: 'block', reason: { secret: 1 } }), { verdict: 'block', reason: '' })
})

for (const alias of ['action', 'result', 'status', 'decision']) {
  test(`"${alias}" is heeded where it carries a verdict`, () => {
    assert.equal(read({ [alias]: 'pass' }), { verdict: 'pass' })
    assert.equal(read({ [alias]: 'block', reason: 'r' }), { verdict: 'block', reason: 'r' })
    assert.equal(read({ verdict: 'pass', [alias]: 'ok' }), { verdict: 'pass' })
    assert.equal(read({ verdict: 'pass', [alias]: 'pass' }), { verdict: 'pass' })
  })
  test(`"${alias}" that disagrees makes the answer invalid`, () => {
    assert.ok('invalid' in read({ verdict: 'pass', [alias]: 'block' }))
    assert.ok('invalid' in read({ [alias]: 'pass', [alias === 'action' ? 'status' : 'action']: 'block' }))
  })
}

test('a payload beside another verdict is not heeded', () => {
  assert.equal(read({ verdict: 'pass', modifiedPayload: { body: {} } }), { verdict: 'pass' })
})

for (const answer of [
  '',
  'null',
  '[]',
  '"pass"',
  'pass',
  '{}',
  '{"verdict":"PASS"}',
  '{"verdict":true}',
  '{"verdict":null,"action":"pass"}',
  '{"verdict":["pass"]}',
  '{"action":"allow"}',
  '{"status":200}',
  '{"verdict":"modify"}',
  '{"verdict":"modify","modifiedPayload":{}}',
  '{"verdict":"modify","modifiedPayload":"x"}',
  '{"verdict":"modify","body":{}}',
  '{"verdict":"pass"',
]) {
  test(`${answer || 'nothing'} is no verdict`, () => {
    assert.ok('invalid' in readVerdict(new TextEncoder().encode(answer)))
  })
}

test('bytes that are no UTF-8 are no verdict, and a byte order mark does no harm', () => {
  const odd = Buffer.concat([Buffer.from('{"verdict":"pass","x":"'), Buffer.from([0xff]), Buffer.from('"}')])
  assert.ok('invalid' in readVerdict(odd))
  assert.equal(readVerdict(new TextEncoder().encode('\ufeff{"verdict":"pass"}')), { verdict: 'pass' })
})

const told = (evaluation: Evaluation) => (evaluation.verdict === 'undecided' ? evaluation.message : evaluation.verdict)

async function modifying(body: unknown, asking: Asking = {}): Promise<Evaluation> {
  return (await answering(saying({ verdict: 'modify', modifiedPayload: { body } }), asking)).evaluation
}

const response = (result: unknown, more: object = {}) => ({ jsonrpc: '2.0', id: 7, result, ...more })
const request = (params: unknown, more: object = {}) => ({
  jsonrpc: '2.0',
  id: 7,
  method: 'tools/call',
  params,
  ...more,
})
const clean = { content: [{ type: 'text', text: 'mail <EMAIL>' }] }

test('a whole response takes the place of the message', async () => {
  assert.equal(await modifying(response(clean)), { verdict: 'modify', patch: { message: clean } })
})

test('the arguments of a call can be changed, and what stands beside them stays', async () => {
  const changed = { verdict: 'modify', patch: { message: { ...PARAMS, arguments: { text: 'x' } } } }
  assert.equal(await modifying(request({ ...PARAMS, arguments: { text: 'x' } }), { leg: 'request' }), changed)
  assert.equal(await modifying(request({ name: 'echo', arguments: { text: 'x' } }), { leg: 'request' }), changed)
})

const FOREIGN_RESPONSES: Readonly<Record<string, unknown>> = {
  'no object': [],
  'another version': { ...response(clean), jsonrpc: '1.0' },
  'no version': { id: 7, result: clean },
  'another id': { ...response(clean), id: 8 },
  'the id as a text': { ...response(clean), id: '7' },
  'no id': { jsonrpc: '2.0', result: clean },
  'a method': response(clean, { method: 'tools/call' }),
  'result and error': response(clean, { error: { code: 1, message: 'x' } }),
  'neither result nor error': { jsonrpc: '2.0', id: 7 },
  'a result that is no object': response('clean'),
  'a result without content': response({}),
  'content that is no list': response({ content: 'x' }),
  'content of texts': response({ content: ['x'] }),
  'a block without its text': response({ content: [{ type: 'text' }] }),
  'a block without a type': response({ content: [{ text: 'x' }] }),
  'an image without its kind': response({ content: [{ type: 'image', data: 'eA==' }] }),
  'a resource without a URI': response({ content: [{ type: 'resource', resource: { text: 'x' } }] }),
  'isError that is no boolean': response({ ...clean, isError: 'no' }),
  'another kind of result': response({ ...clean, resultType: 'input_required' }),
  'an error without a message': { jsonrpc: '2.0', id: 7, error: 'x' },
}

for (const [what, body] of Object.entries(FOREIGN_RESPONSES)) {
  test(`in place of a response, ${what} is undecided`, async () => {
    assert.match(told(await modifying(body)), 'modifiedPayload.body')
  })
}

const FOREIGN_REQUESTS: Readonly<Record<string, unknown>> = {
  'another tool': request({ ...PARAMS, name: 'delete_all' }),
  'no tool': request({ arguments: {} }),
  'another method': { ...request(PARAMS), method: 'tools/list' },
  'no method': { jsonrpc: '2.0', id: 7, params: PARAMS },
  'another id': { ...request(PARAMS), id: 0 },
  'a result': request(PARAMS, { result: {} }),
  'an error': request(PARAMS, { error: {} }),
  'no params': { jsonrpc: '2.0', id: 7, method: 'tools/call' },
  'no arguments': request({ name: 'echo' }),
  'arguments that are a list': request({ ...PARAMS, arguments: [] }),
  'arguments that are null': request({ ...PARAMS, arguments: null }),
  'another _meta': request({ ...PARAMS, _meta: {} }),
  'something that was not there': request({ ...PARAMS, task: {} }),
}

for (const [what, body] of Object.entries(FOREIGN_REQUESTS)) {
  test(`in place of a request, ${what} is undecided`, async () => {
    assert.match(told(await modifying(body, { leg: 'request' })), 'modifiedPayload.body')
  })
}

test('the id of the message can be null, and has to be null then', async () => {
  const context = { rpcId: null }
  assert.is((await modifying({ ...response(clean), id: null }, { context })).verdict, 'modify')
  assert.is((await modifying({ jsonrpc: '2.0', result: clean }, { context })).verdict, 'undecided')
})

test('a mark of the protocol that an engine leaves out is kept', async () => {
  const message = { resultType: 'complete', ...RESULT }
  const evaluation = await modifying(response(clean), { message })
  assert.equal(evaluation, { verdict: 'modify', patch: { message: { resultType: 'complete', ...clean } } })
})

test('an error in place of a tool’s result is the result of a tool that failed', async () => {
  const body = { jsonrpc: '2.0', id: 7, error: { code: -32000, message: 'not for you' } }
  assert.equal(await modifying(body), {
    verdict: 'modify',
    patch: { message: { content: [{ type: 'text', text: 'not for you' }], isError: true } },
  })
  const prompt: Json = { messages: [] }
  assert.is((await modifying(body, { context: { method: 'prompts/get' }, message: prompt })).verdict, 'undecided')
})

test('prompts, resources and what is said in the middle of a call keep their shape', async () => {
  const cases: readonly (readonly [Json, unknown, boolean])[] = [
    [{ messages: [] }, { messages: [{ role: 'user', content: { type: 'text', text: 'x' } }] }, true],
    [{ messages: [] }, { messages: [{ role: 'system', content: { type: 'text', text: 'x' } }] }, false],
    [{ messages: [] }, {}, false],
    [{ contents: [] }, { contents: [{ uri: 'file:///a', text: 'x' }] }, true],
    [{ contents: [] }, { contents: [{ text: 'x' }] }, false],
    [{ structuredContent: { progress: 1 } }, { structuredContent: { progress: 2 } }, true],
    [{ structuredContent: { progress: 1 } }, { structuredContent: [] }, false],
  ]
  for (const [message, result, isTaken] of cases) {
    const evaluation = await modifying(response(result), { message })
    assert.is(evaluation.verdict, isTaken ? 'modify' : 'undecided', JSON.stringify(result))
  }
})

test.run()
