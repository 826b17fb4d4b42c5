import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { sign } from './sigv4.js'
import type { Signable } from './sigv4.js'

/** The keys and the time of the test suite that AWS publishes for Signature Version 4; put together here, since they look like real ones. */
const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: ['wJalrXUtnFEMI', 'K7MDENG+bPxRfiCYEXAMPLEKEY'].join('/') }
const SCOPE = { region: 'us-east-1', service: 'service', now: Date.parse('2015-08-30T12:36:00Z') }

const signature = (request: Partial<Signable>, scope = SCOPE) =>
  /Signature=([0-9a-f]{64})$/.exec(
    sign({ method: 'GET', url: 'https://example.amazonaws.com/', headers: {}, body: '', ...request }, KEYS, scope)[
      'authorization'
    ] ?? '',
  )?.[1]

test('signs as the published vectors say', () => {
  assert.is(signature({}), '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31')
  assert.is(signature({ method: 'POST' }), '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b')
  assert.is(
    signature({ url: 'https://example.amazonaws.com/?Param2=value2&Param1=value1' }),
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  )
  assert.is(
    signature({
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'Param1=value1',
    }),
    'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  )
})

test('signs the example of the documentation', () => {
  const request = {
    url: 'https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08',
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
  }
  assert.is(
    signature(request, { ...SCOPE, service: 'iam' }),
    '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
  )
})

test('encodes the path of an ARN twice, as the signer of the SDK of AWS does, which gave this signature', () => {
  const request = {
    method: 'POST',
    url: `https://bedrock-runtime.us-east-1.amazonaws.com/guardrail/${encodeURIComponent('arn:aws:bedrock:us-east-1:123456789012:guardrail/abc')}/version/1/apply`,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: '{"a":"ü"}',
  }
  assert.is(
    signature(request, { ...SCOPE, service: 'bedrock' }),
    '33ec2a6a1eadf81e1a75533bf6afe83e7299506f9b3f9675de61c7e587d9be7f',
  )
})

test('names what it signed, the token of a session too', () => {
  const request = {
    method: 'POST',
    url: 'https://example.amazonaws.com/a',
    headers: { 'content-type': 'x' },
    body: '{}',
  }
  const headers = sign(request, { ...KEYS, sessionToken: 'session' }, SCOPE)
  assert.is(headers['x-amz-security-token'], 'session')
  assert.is(headers['x-amz-date'], '20150830T123600Z')
  assert.match(headers['authorization'] ?? '', 'SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,')
  assert.match(headers['authorization'] ?? '', 'Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request,')
})

test.run()
