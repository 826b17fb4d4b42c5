import type { Json, JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { classify, type Classified, type EraHeaders } from './classify.js'
import { parseJson } from './json.js'
import { META, MODERN_VERSION, SUPPORTED_VERSIONS } from './versions.js'

const headers = (given: Partial<EraHeaders> = {}): EraHeaders => ({
  version: undefined,
  sessionId: undefined,
  method: undefined,
  name: undefined,
  ...given,
})
const request = (method: string, params?: JsonObject): JsonObject => ({
  jsonrpc: '2.0',
  id: 1,
  method,
  ...(params === undefined ? {} : { params }),
})
const notification = (method: string, params: JsonObject = {}): JsonObject => ({ jsonrpc: '2.0', method, params })
const envelope = (changes: JsonObject = {}): JsonObject => ({
  [META.version]: MODERN_VERSION,
  [META.capabilities]: {},
  ...changes,
})
const modern = (method: string, params: JsonObject = {}, meta: JsonObject = envelope()) =>
  request(method, { ...params, _meta: meta })
const modernHeaders = (method: string, given: Partial<EraHeaders> = {}) =>
  headers({ version: MODERN_VERSION, method, ...given })

/** `request legacy 2025-11-25`, or `fault legacy 400 -32600 id 1`. */
function row(classified: Classified): string {
  if (classified.kind !== 'fault') return `${classified.kind} ${classified.era} ${classified.version}`
  const { http, rpc } = classified.error.entry
  return `fault ${classified.era} ${http} ${rpc} id ${JSON.stringify(classified.id)}`
}

function law(name: string, cases: readonly (readonly [Json, EraHeaders, string])[]): void {
  test(name, () => {
    for (const [value, given, expected] of cases)
      assert.is(row(classify(value, given)), expected, `${JSON.stringify(value)} with ${JSON.stringify(given)}`)
  })
}

law('what is no JSON-RPC message is refused, with its id where it has a usable one', [
  [null, headers(), 'fault legacy 400 -32600 id null'],
  [7, headers(), 'fault legacy 400 -32600 id null'],
  ['ping', headers(), 'fault legacy 400 -32600 id null'],
  [[], headers(), 'fault legacy 400 -32600 id null'],
  [{}, headers(), 'fault legacy 400 -32600 id null'],
  [{ id: 7, method: 'ping' }, headers(), 'fault legacy 400 -32600 id 7'],
  [{ jsonrpc: '1.0', id: 'a', method: 'ping' }, headers(), 'fault legacy 400 -32600 id "a"'],
  [{ jsonrpc: '2.0', id: 1, method: 7 }, headers(), 'fault legacy 400 -32600 id 1'],
  [{ jsonrpc: '2.0', id: 1, method: '' }, headers(), 'fault legacy 400 -32600 id 1'],
  [{ jsonrpc: '2.0', id: 1, method: 'ping', params: [] }, headers(), 'fault legacy 400 -32600 id 1'],
  [{ jsonrpc: '2.0', id: 1, method: 'ping', params: null }, headers(), 'fault legacy 400 -32600 id 1'],
])

law('an id is a text or a whole number; null, a fraction and what is beyond exact numbers are refused', [
  [{ jsonrpc: '2.0', id: null, method: 'ping' }, headers(), 'fault legacy 400 -32600 id null'],
  [{ jsonrpc: '2.0', id: 1.5, method: 'ping' }, headers(), 'fault legacy 400 -32600 id null'],
  [{ jsonrpc: '2.0', id: 2 ** 53, method: 'ping' }, headers(), 'fault legacy 400 -32600 id null'],
  [{ jsonrpc: '2.0', id: true, method: 'ping' }, headers(), 'fault legacy 400 -32600 id null'],
  [{ jsonrpc: '2.0', id: {}, method: 'ping' }, headers(), 'fault legacy 400 -32600 id null'],
  [{ jsonrpc: '2.0', id: 0, method: 'ping' }, headers(), 'request legacy 2025-03-26'],
  [{ jsonrpc: '2.0', id: '', method: 'ping' }, headers(), 'request legacy 2025-03-26'],
])

law('a number that a double cannot hold is neither an id nor a method', [
  ...['9007199254740993', '-9007199254740993', '1e999', '0.10000000000000000001'].flatMap((digits) => [
    [
      parseJson(`{"jsonrpc":"2.0","id":${digits},"method":"ping"}`),
      headers(),
      'fault legacy 400 -32600 id null',
    ] as const,
    [parseJson(`{"jsonrpc":"2.0","id":1,"method":${digits}}`), headers(), 'fault legacy 400 -32600 id 1'] as const,
    [
      parseJson(`{"jsonrpc":"2.0","id":${digits},"result":{}}`),
      headers({ sessionId: 's' }),
      'fault legacy 400 -32600 id null',
    ] as const,
  ]),
])

law('a request with the key of the modern envelope is modern, initialize too', [
  [modern('tools/list'), modernHeaders('tools/list'), 'request modern 2026-07-28'],
  [modern('initialize'), modernHeaders('initialize'), 'request modern 2026-07-28'],
  [modern('tools/list'), modernHeaders('tools/list', { sessionId: 's' }), 'request modern 2026-07-28'],
])

law('server/discover and what a modern header names are modern, and lack their envelope', [
  [request('server/discover'), headers(), 'fault modern 400 -32602 id 1'],
  [request('server/discover'), headers({ version: '2025-06-18' }), 'fault modern 400 -32602 id 1'],
  [request('tools/list'), headers({ version: MODERN_VERSION }), 'fault modern 400 -32602 id 1'],
  [request('tools/list'), headers({ version: '2027-01-01' }), 'fault modern 400 -32602 id 1'],
  [
    request('tools/list', { _meta: { other: 1 } }),
    headers({ version: MODERN_VERSION }),
    'fault modern 400 -32602 id 1',
  ],
])

test('what the envelope lacks is named', () => {
  const classified = classify(request('server/discover'), headers())
  assert.match(classified.kind === 'fault' ? classified.error.message : '', `${META.version} and ${META.capabilities}`)
})

law('initialize without the key is legacy whatever the header says', [
  [request('initialize'), headers(), 'request legacy 2025-03-26'],
  [request('initialize'), headers({ version: MODERN_VERSION }), 'request legacy 2025-11-25'],
  [request('initialize'), headers({ version: 'nonsense' }), 'request legacy 2025-11-25'],
  [request('initialize'), headers({ sessionId: 'old' }), 'request legacy 2025-03-26'],
])

law('a notification is modern by its header or its key', [
  [notification('notifications/cancelled'), headers({ version: MODERN_VERSION }), 'notification modern 2026-07-28'],
  [notification('notifications/cancelled', { _meta: envelope() }), headers(), 'notification modern 2026-07-28'],
  [notification('notifications/initialized'), headers({ sessionId: 's' }), 'notification legacy 2025-03-26'],
  [notification('server/discover'), headers(), 'notification legacy 2025-03-26'],
  [{ jsonrpc: '2.0', method: 'notifications/initialized' }, headers(), 'notification legacy 2025-03-26'],
])

law('a response belongs to a session', [
  [
    { jsonrpc: '2.0', id: 1, result: {} },
    headers({ sessionId: 's', version: '2025-06-18' }),
    'response legacy 2025-06-18',
  ],
  [
    { jsonrpc: '2.0', id: 'a', error: { code: 1, message: '' } },
    headers({ sessionId: 's' }),
    'response legacy 2025-03-26',
  ],
  [
    { jsonrpc: '2.0', id: 1, result: {} },
    headers({ sessionId: 's', version: MODERN_VERSION }),
    'response legacy 2025-11-25',
  ],
])

law('the refusal of a response never carries its id, which would answer a request of the client’s own', [
  [{ jsonrpc: '2.0', id: 1, result: {} }, headers(), 'fault legacy 400 -32600 id null'],
  [
    { jsonrpc: '2.0', id: 1, result: {} },
    headers({ sessionId: 's', version: '1999-01-01' }),
    'fault legacy 400 -32600 id null',
  ],
])

law('a response has an id and exactly one of result and error', [
  [{ jsonrpc: '2.0', result: {} }, headers({ sessionId: 's' }), 'fault legacy 400 -32600 id null'],
  [{ jsonrpc: '2.0', id: 1, result: {}, error: {} }, headers({ sessionId: 's' }), 'fault legacy 400 -32600 id 1'],
  [{ jsonrpc: '2.0', id: 1 }, headers({ sessionId: 's' }), 'fault legacy 400 -32600 id 1'],
])

law('a legacy request speaks the version of its header; without one it is taken for 2025-03-26', [
  [request('tools/list'), headers(), 'request legacy 2025-03-26'],
  ...['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'].map(
    (version) => [request('tools/list'), headers({ version }), `request legacy ${version}`] as const,
  ),
])

law('an unknown legacy version is refused', [
  ...['', '2025-01-01', 'latest', '2026-07-27', '2026-07-28, 2026-07-28', '2026-7-28'].flatMap((version) => [
    [request('tools/list'), headers({ version }), 'fault legacy 400 -32600 id 1'] as const,
    [notification('notifications/initialized'), headers({ version }), 'fault legacy 400 -32600 id null'] as const,
  ]),
])

test('the refusal of a version names what is served and cuts what was sent', () => {
  const classified = classify(request('tools/list'), headers({ version: 'x'.repeat(1_000) }))
  const message = classified.kind === 'fault' ? classified.error.message : ''
  for (const version of SUPPORTED_VERSIONS) assert.match(message, version)
  assert.ok(message.length < 250)
})

law(
  'ladder 1: a version that is no text and capabilities that are no object are an envelope fault, before any header',
  [
    ...[
      { [META.version]: 7 },
      { [META.version]: null },
      { [META.capabilities]: [] },
      { [META.capabilities]: 'all' },
    ].map(
      (changes) => [modern('tools/list', {}, envelope(changes)), headers(), 'fault modern 400 -32602 id 1'] as const,
    ),
    [modern('tools/list', {}, { [META.version]: MODERN_VERSION }), headers(), 'fault modern 400 -32602 id 1'],
  ],
)

law('ladder 1: a log level is one of the eight or absent', [
  ...['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'].map(
    (level) =>
      [
        modern('tools/list', {}, envelope({ [META.logLevel]: level })),
        modernHeaders('tools/list'),
        'request modern 2026-07-28',
      ] as const,
  ),
  ...['loud', 'INFO', 7, null].map(
    (level) =>
      [
        modern('tools/list', {}, envelope({ [META.logLevel]: level })),
        modernHeaders('tools/list'),
        'fault modern 200 -32602 id 1',
      ] as const,
  ),
])

law('ladder 2: the header is there and says what the body says, before the version is judged', [
  [modern('tools/list'), headers({ method: 'tools/list' }), 'fault modern 400 -32020 id 1'],
  [modern('tools/list'), headers({ method: 'tools/list', version: '2025-11-25' }), 'fault modern 400 -32020 id 1'],
  [
    modern('tools/list', {}, envelope({ [META.version]: '2027-01-01' })),
    modernHeaders('tools/list'),
    'fault modern 400 -32020 id 1',
  ],
  [
    modern('tools/list'),
    headers({ method: 'tools/list', version: ` ${MODERN_VERSION} ` }),
    'request modern 2026-07-28',
  ],
])

test('ladder 3: a version that is not served is refused with what is', () => {
  const value = modern('tools/list', {}, envelope({ [META.version]: '2027-01-01' }))
  const classified = classify(value, headers({ version: '2027-01-01', method: 'tools/list' }))
  assert.is(row(classified), 'fault modern 400 -32022 id 1')
  assert.equal(classified.kind === 'fault' && classified.error.data, {
    supported: SUPPORTED_VERSIONS,
    requested: '2027-01-01',
  })
})

law('ladder 3: a legacy version in the envelope is not served as modern', [
  [
    modern('tools/list', {}, envelope({ [META.version]: '2025-11-25' })),
    headers({ version: '2025-11-25', method: 'tools/list' }),
    'fault modern 400 -32022 id 1',
  ],
])

law('ladder 4: Mcp-Method is there and names the method', [
  [modern('tools/list'), headers({ version: MODERN_VERSION }), 'fault modern 400 -32020 id 1'],
  [modern('tools/list'), modernHeaders('tools/call'), 'fault modern 400 -32020 id 1'],
  [modern('tools/list'), modernHeaders('Tools/List'), 'fault modern 400 -32020 id 1'],
  [modern('tools/list'), modernHeaders(' tools/list\t'), 'request modern 2026-07-28'],
])

const NAMED = [
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
] as const

for (const [method, param] of NAMED) {
  law(`ladder 4: Mcp-Name of ${method} repeats ${param}, plain or in strict base64`, [
    [modern(method, { [param]: 'a' }), modernHeaders(method, { name: 'a' }), 'request modern 2026-07-28'],
    [
      modern(method, { [param]: 'ä b' }),
      modernHeaders(method, { name: '=?base64?w6QgYg==?=' }),
      'request modern 2026-07-28',
    ],
    [
      modern(method, { [param]: 'ä b' }),
      modernHeaders(method, { name: '=?base64?w6QgYg?=' }),
      'fault modern 400 -32020 id 1',
    ],
    [modern(method, { [param]: 'a' }), modernHeaders(method), 'fault modern 400 -32020 id 1'],
    [modern(method, { [param]: 'a' }), modernHeaders(method, { name: 'b' }), 'fault modern 400 -32020 id 1'],
    [modern(method, { [param]: 'a' }), modernHeaders(method, { name: 'A' }), 'fault modern 400 -32020 id 1'],
    [modern(method), modernHeaders(method, { name: 'a' }), 'fault modern 400 -32020 id 1'],
    [
      modern(method, { [param]: null }),
      modernHeaders(method, { name: '=?base64?%?=' }),
      'fault modern 400 -32020 id 1',
    ],
  ])
}

law('methods named like parts of an object need no Mcp-Name', [
  ...['constructor', 'toString', '__proto__', 'hasOwnProperty'].map(
    (method) => [modern(method), modernHeaders(method), 'request modern 2026-07-28'] as const,
  ),
])

test('the message is handed on as it came', () => {
  const value = modern('tools/call', { name: 'a', arguments: { deep: [1, { x: null }] }, unknown: true })
  const classified = classify(value, modernHeaders('tools/call', { name: 'a' }))
  assert.is(classified.kind, 'request')
  assert.is(classified.kind === 'request' && classified.message.params, value['params'])
})

/** mulberry32: the same bodies at every run. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const KEYS = [
  'jsonrpc',
  'id',
  'method',
  'params',
  'result',
  'error',
  '_meta',
  META.version,
  META.capabilities,
  META.logLevel,
  'name',
  'uri',
  '__proto__',
  'constructor',
]
const VALUES: readonly Json[] = [
  null,
  true,
  0,
  1,
  -1,
  1.5,
  1e300,
  '',
  '2.0',
  'tools/call',
  'initialize',
  'server/discover',
  'notifications/x',
  MODERN_VERSION,
  '2025-11-25',
  '2027-01-01',
  'constructor',
  'debug',
  [],
  {},
  [null],
  { _meta: null },
  { _meta: envelope() },
  '\ud800',
  'x'.repeat(300),
]
const HEADERS = [
  undefined,
  '',
  MODERN_VERSION,
  '2025-06-18',
  '2027-01-01',
  'nonsense',
  'tools/call',
  '=?base64?YQ==?=',
  '=?base64?!?=',
  '\u0000',
]

test('the classifier is total: every mutated body gives exactly one row and never throws', () => {
  const next = random(20_260_728)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T
  const bodies = [
    modern('tools/call', { name: 'a' }),
    request('initialize'),
    notification('notifications/x'),
    { jsonrpc: '2.0', id: 1, result: {} },
  ]
  const mutate = (value: Json, depth: number): Json => {
    if (next() < 0.15 || depth > 4) return pick(VALUES)
    if (Array.isArray(value)) return value.map((item: Json) => mutate(item, depth + 1))
    if (typeof value !== 'object' || value === null) return next() < 0.7 ? value : pick(VALUES)
    const entries = Object.entries(value).filter(() => next() > 0.1)
    const kept = entries.map(([key, item]) => [next() < 0.05 ? pick(KEYS) : key, mutate(item ?? null, depth + 1)])
    return Object.fromEntries(next() < 0.2 ? [...kept, [pick(KEYS), pick(VALUES)]] : kept) as Json
  }
  const seen = new Set<string>()
  for (let n = 0; n < 20_000; n++) {
    const body = next() < 0.1 ? pick(bodies) : mutate(pick(bodies), 0)
    const fitting = modernHeaders('tools/call', { name: 'a' })
    const given =
      next() < 0.3
        ? fitting
        : headers({
            version: pick(HEADERS),
            sessionId: pick([undefined, 's']),
            method: pick(HEADERS),
            name: pick(HEADERS),
          })
    const classified = classify(body, given)
    seen.add(`${classified.kind} ${classified.era}`)
    if (classified.kind === 'fault') {
      assert.ok(classified.id === null || typeof classified.id === 'string' || Number.isSafeInteger(classified.id))
      assert.ok(classified.error.entry.http >= 200)
    } else assert.is(classified.message.kind, classified.kind)
    assert.is(classified.era === 'modern', classified.version === MODERN_VERSION, JSON.stringify([body, given]))
    assert.equal(row(classify(body, given)), row(classified))
  }
  assert.equal([...seen].toSorted(), [
    'fault legacy',
    'fault modern',
    'notification legacy',
    'notification modern',
    'request legacy',
    'request modern',
    'response legacy',
  ])
})

const claude = (name: unknown) => envelope({ [META.clientInfo]: { name, version: '1' } as JsonObject })
const underOlder = (given: Partial<EraHeaders> = {}) => headers({ version: '2025-11-25', ...given })

law('a modern body under the header of an older version is served for Claude alone, and nothing else may differ', [
  [modern('tools/list', {}, claude('claude-ai')), underOlder(), 'request modern 2026-07-28'],
  [
    modern('tools/list', {}, claude('Claude Code')),
    underOlder({ version: ' 2024-11-05' }),
    'request modern 2026-07-28',
  ],
  [modern('tools/call', { name: 'a' }, claude('claude-ai')), underOlder(), 'request modern 2026-07-28'],
  [
    modern('tools/call', { name: 'a' }, claude('claude-ai')),
    underOlder({ method: 'tools/call', name: 'a' }),
    'request modern 2026-07-28',
  ],
  [modern('tools/list', {}, claude('claude-ai')), underOlder({ method: 'x' }), 'fault modern 400 -32020 id 1'],
  [modern('tools/call', { name: 'a' }, claude('claude-ai')), underOlder({ name: 'b' }), 'fault modern 400 -32020 id 1'],
  ...(['not-claude', '', 7, null, undefined] as const).map(
    (name) =>
      [
        modern('tools/list', {}, claude(name)),
        underOlder({ method: 'tools/list' }),
        'fault modern 400 -32020 id 1',
      ] as [Json, EraHeaders, string],
  ),
  [modern('tools/list', {}, claude('claude-ai')), headers({ method: 'tools/list' }), 'fault modern 400 -32020 id 1'],
  [
    modern('tools/list', {}, claude('claude-ai')),
    headers({ version: '2025-01-01', method: 'tools/list' }),
    'fault modern 400 -32020 id 1',
  ],
  [
    modern('tools/list', {}, { ...claude('claude-ai'), [META.version]: 'v999' }),
    underOlder({ method: 'tools/list' }),
    'fault modern 400 -32020 id 1',
  ],
])

test('what is borne is named', () => {
  const borne = classify(modern('tools/list', {}, claude('claude-ai')), underOlder())
  const proper = classify(modern('tools/list', {}, claude('claude-ai')), modernHeaders('tools/list'))
  assert.equal(
    [borne, proper].map((one) => one.kind === 'request' && one.tolerated),
    ['legacy-header', undefined],
  )
})

test.run()
