import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ENTITIES, isName } from './entities.js'
import type { Entity } from './entities.js'
import { findPatterns, recognizersOf } from './patterns.js'

const search = (threshold = 0.2, context: readonly string[] = [], entities: readonly Entity[] = ENTITIES) => ({
  ...{ threshold, context: new Set(context) },
  recognizers: recognizersOf(new Set(entities)),
})
/** What is found of one type alone, as it stands in the text. */
const found = (entity: Entity, text: string, threshold = 0.2, context: readonly string[] = []) =>
  findPatterns(text, search(threshold, context, [entity])).map(({ start, end }) => text.slice(start, end))

/** `[…]` is to be found, all of it and nothing else. */
const CASES: Readonly<Record<Exclude<Entity, 'PERSON' | 'LOCATION' | 'NRP'>, readonly string[]>> = {
  CREDIT_CARD: [
    'pay [4111 1111 1111 1111] now',
    '[4111-1111-1111-1111], [4111111111111111]',
    'amex [3782 822463 10005] or [378282246310005]',
    'a 2-series [2223 0031 2200 3222], diners [3056 930902 5904]',
    'not 4111 1111 1111 1112, not 4111 1111 1111 111, not 1234567812345670',
    'not x4111111111111111, not 41111111111111110000000, not 1.4111111111111111',
  ],
  IBAN_CODE: [
    'to [GB82 WEST 1234 5698 7654 32] please',
    '[DE89370400440532013000] and [de89 3704 0044 0532 0130 00] again',
    'IBAN:[NL91ABNA0417164300].',
    'not GB82 WEST 1234 5698 7654 33, not ZZ82WEST12345698765432, not DE893704004405320130001',
  ],
  CRYPTO: [
    'send to [1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa] or [bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4].',
    'not 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb',
  ],
  US_BANK_NUMBER: ['my account is [30035491754]', 'the run took 30035491754 ticks', 'acct [12345678], SKU 12345678'],
  US_SSN: [
    'ssn [536-22-8726] and [536 22 8726]',
    'social security number [536228726]',
    'not 000-12-3456, not 666-12-3456, not 912-34-5678, not 536-00-8726, not 536-22-0000, not 078-05-1120',
    'a mere 536228726, a part 1-536-22-8726, a path 536-22-8726-1',
  ],
  US_ITIN: ['itin [912-70-1234], [912 88 1234]', 'not 912-69-1234, not 912-93-1234'],
  US_PASSPORT: ['passport no. [531045678]', 'passport [A12345678]', 'a mere A12345678'],
  US_DRIVER_LICENSE: ["driver's license [D1234567]", 'license number [12345678]', 'a mere D1234567'],
  UK_NHS: ['nhs [943 476 5919]', 'patient [9434765919]', 'not 943 476 5918', 'not 943 476 5919 1'],
  MEDICAL_LICENSE: ['DEA [BB1388568]', 'not BB1388567, not ZZ1388568, not xBB1388568'],
  EMAIL_ADDRESS: [
    'write to <[ana.silva+x@mail.example.co.uk]>, please',
    "mail='[ana@example.com]';to=[o'brien@example.com]",
    'ünï: [jörg.müller@bücher.example] ([ANA@EXAMPLE.COM]).',
    'not logo@2x.png, not @app.route, not npm i @scope/pkg@1.2.3, not ana@localhost',
  ],
  PHONE_NUMBER: [
    'call [(212) 555-0142] or [+44 20 7946 0123] or [+44 (0)20 7946 0123]',
    '[212-555-0142 ext. 12], [+1 212 555 0142], [020 7946 0123], [+33 6 39 98 12 34]',
    'tel [2125550142]',
    'a mere 2125550142, order 123-555-0142, ISBN 978-3-16-148410-0, 2024-01-15 10:30, 4111 1111 1111 1111',
    'not 192.168.100.100, not 10.103.5.48, not 1.2.3, not 12/05/2024',
  ],
  IP_ADDRESS: [
    'from [203.0.113.7] to [2001:db8::1] and [fe80::1:2:3:4], net [10.0.0.0/8]',
    '[[10.1.2.3]]:443, ip=[::1]',
    'not 256.1.1.1, not 1.2.3.4.5, version 4.0.3.1, Chrome/120.0.60.109, std::sort, 12:34:56, 5e:fe:b8:80:9c:48',
  ],
  URL: [
    'see [https://example.com/a?b=c#d], ([http://localhost:8080/x]).',
    'at [www.example.com] and [docs.example.org/start], [northwind.io]!',
    'a [https://en.wikipedia.org/wiki/Set_(mathematics)] page',
    'not README.md, not main.rs, not item.id, not list.sort(), not ana@example.com, not 1.2.3, not e.g. this',
  ],
  DATE_TIME: [
    'on [2024-05-17], [2024-05-17T10:30:00Z], [17/05/2024], [5/17/24], [17.05.2024]',
    '[May 17, 2024] [17 May 2024] [17-May-2024] [Tuesday, 3 March 2026] [May 2024]',
    'at [14:05], [9:30 pm], [5 p.m.] [yesterday], [two days ago], [next Monday]',
    'not 2024-15-45, not 45/45/2024, not 1.2.3, not 12:99, you may 3 times',
  ],
}

for (const [entity, texts] of Object.entries(CASES) as readonly (readonly [Entity, readonly string[]])[]) {
  test(`${entity} is found where it stands, and not where it does not`, () => {
    for (const marked of texts) {
      const [wanted, text] = unmark(marked)
      assert.equal(found(entity, text), wanted, marked)
    }
  })
}

/** The outermost brackets are marks, save where two stand together: then the outer ones are text. */
function unmark(marked: string): [string[], string] {
  const wanted: string[] = []
  const text = marked
    .replaceAll('[[', '\u0001[')
    .replaceAll(']]', ']\u0002')
    .replaceAll(/\[([^\]]+)\]/g, (_, inner: string) => {
      wanted.push(inner)
      return inner
    })
  return [wanted, text.replaceAll('\u0001', '[').replaceAll('\u0002', ']')]
}

test('every type that needs no tagger has a recogniser', () => {
  for (const entity of ENTITIES) if (!isName(entity)) assert.ok(recognizersOf(new Set([entity])).length > 0, entity)
})

test('a word before a number raises its score, as does one that the rule gives', () => {
  const score = (text: string, context: readonly string[] = []) =>
    findPatterns(text, search(0, context, ['US_BANK_NUMBER']))[0]?.score ?? 0
  assert.is(score('it is 30035491754'), 0.05)
  assert.ok(score('account 30035491754') >= 0.4)
  assert.ok(score('it is 30035491754', ['account']) >= 0.4)
  assert.is(score('it is 30035491754', ['shoe']), 0.05)
  assert.ok(score('{"bankAccount":"30035491754"}') >= 0.4)
  assert.ok(score('account, one two three four five six seven 30035491754') < 0.2, 'too far away')
})

test('the head of a column and the name in an INSERT are words before a value', () => {
  assert.equal(found('US_BANK_NUMBER', 'id;account;n\n1;30035491754;12345678\n2;30035491755;12345678'), [
    '30035491754',
    '30035491755',
  ])
  assert.equal(found('US_SSN', "INSERT INTO t (name, ssn) VALUES ('x', '536228726')"), ['536228726'])
  assert.equal(found('US_SSN', "INSERT INTO t (ssn, name) VALUES ('x', '536228726')"), [])
})

test('the threshold counts from the score that it names', () => {
  const text = 'call (212) 555-0142'
  const [{ score } = { score: 0 }] = findPatterns(text, search(0, [], ['PHONE_NUMBER']))
  assert.is(found('PHONE_NUMBER', text, score).length, 1)
  assert.is(found('PHONE_NUMBER', text, score + 0.001).length, 0)
})

test('no text holds up the gateway', () => {
  const parts = [
    '1',
    '1 ',
    '12-',
    '1.',
    '1:',
    'a.',
    'a@',
    '@a.',
    'a-',
    '(',
    '(a',
    '+1 ',
    '1;\n',
    '12345678;',
    '12345678\n',
    'May ',
    '::',
    'bc1q',
    'A1',
    ' values (',
  ]
  for (const part of parts) {
    const text = part.repeat(Math.ceil(8_192 / part.length))
    const started = process.cpuUsage()
    findPatterns(text, search())
    const { user } = process.cpuUsage(started)
    assert.ok(user < 400_000, `${JSON.stringify(part)} took ${user} µs`)
  }
})

test.run()
