import { verifySignature } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { answering, evaluated, PARAMS, RESULT, saying, serve, started } from './testing.js'

const PASS = saying({ verdict: 'pass' })

test('a response is sent as metadata and body and nothing else', async () => {
  const { evaluation, received } = await answering(PASS)
  assert.equal(evaluation, { verdict: 'pass' })
  const { method, headers, request } = received[0]!
  assert.is(method, 'POST')
  assert.is(headers['content-type'], 'application/json')
  assert.equal(Object.keys(request), ['metadata', 'body'])
  const { timestamp, ...metadata } = request.metadata
  assert.equal(metadata, {
    ruleEngineId: 'engine-1',
    userGuid: 'user-1',
    gatewayGuid: 'gateway-1',
    serverGuid: 'server-1',
    direction: 'response',
    method: 'tools/call',
    toolName: 'echo',
    ruleId: 'rule-1',
    correlationId: '01890000-0000-7000-8000-000000000000',
  })
  assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 5_000)
  assert.equal(request.body, { jsonrpc: '2.0', id: 7, result: RESULT })
})

test('a request is sent as the call that it is', async () => {
  const { received } = await answering(PASS, { leg: 'request' })
  assert.is(received[0]?.request.metadata.direction, 'request')
  assert.equal(received[0]?.request.body, { jsonrpc: '2.0', id: 7, method: 'tools/call', params: PARAMS })
})

test('what a call does not have is null, never absent', async () => {
  const context = { user: null, server: null, feature: { kind: 'prompt', name: 'p' }, method: 'prompts/get' } as const
  const { received } = await answering(PASS, { context })
  const { userGuid, serverGuid, toolName, method } = received[0]!.request.metadata
  assert.equal([userGuid, serverGuid, toolName, method], [null, null, null, 'prompts/get'])
})

test('the id is told as it came: a text, a number, or none', async () => {
  for (const rpcId of ['7', 7, null, '']) {
    const { received } = await answering(PASS, { context: { rpcId } })
    assert.is(received[0]?.request.body.id, rpcId)
  }
})

test('the method is the one that is registered', async () => {
  for (const method of ['PUT', 'PATCH']) {
    const { received } = await answering(PASS, { config: { method } })
    assert.is(received[0]?.method, method)
  }
})

test('listed headers of the client are sent on, and a configured one wins', async () => {
  const asked: string[] = []
  const header = (name: string) => {
    asked.push(name)
    return { 'x-tenant': 'client', 'x-trace': 'abc', 'x-other': 'no' }[name]
  }
  const config = {
    headers: { 'X-Tenant': 'configured', Authorization: 'Bearer k' },
    forwardHeaders: ['x-tenant', 'X-Trace', 'x-none'],
  }
  const { received } = await answering(PASS, { config, header })
  const { headers } = received[0]!
  assert.is(headers['x-tenant'], 'configured')
  assert.is(headers['x-trace'], 'abc')
  assert.is(headers['authorization'], 'Bearer k')
  assert.is(headers['x-other'], undefined)
  assert.is(headers['x-none'], undefined)
  assert.equal(asked.toSorted(), ['x-none', 'x-tenant', 'x-trace'])
})

test('a secret signs what is sent, byte for byte', async () => {
  const secret = 'a secret of some length'
  const { received } = await answering(PASS, {
    config: { secret },
    message: { content: [{ type: 'text', text: 'ä€😀' }] },
  })
  const { headers, text } = received[0]!
  const header = headers['gatehouse-signature'] as string
  assert.match(header, /^t=\d+,v1=[0-9a-f]{64}$/)
  assert.ok(verifySignature({ header, body: text, secret }))
  assert.not.ok(verifySignature({ header, body: `${text} `, secret }))
  assert.not.match(JSON.stringify(received), secret)
  const unsigned = await answering(PASS)
  assert.is(unsigned.received[0]?.headers['gatehouse-signature'], undefined)
})

test('a message over 16 MiB is not sent', async () => {
  const text = 'x'.repeat(16 * 1024 * 1024)
  const { evaluation, received } = await answering(PASS, { message: { content: [{ type: 'text', text }] } })
  assert.is(evaluation.verdict, 'undecided')
  assert.is(received.length, 0)
  const wide = '€'.repeat(6 * 1024 * 1024)
  const counted = await answering(PASS, { message: { content: [{ type: 'text', text: wide }] } })
  assert.is(counted.evaluation.verdict, 'undecided')
  assert.is(counted.received.length, 0)
})

test('neither the message nor a secret is logged', async () => {
  const service = await serve((received, response, nth) =>
    saying({ verdict: 'error', message: received.text }, nth < 3 ? 503 : 200)(received, response, nth),
  )
  const host = await started()
  const config = { url: service.url, secret: 'hunter2hunter2hunter2', headers: { 'X-Key': 'hunter2' } }
  const evaluation = await evaluated(host, config, { message: { content: [{ type: 'text', text: 'hunter2' }] } })
  await service.close()
  assert.is(host.log.length, 2)
  assert.not.match(JSON.stringify([host.log, evaluation]), 'hunter2')
})

test.run()
