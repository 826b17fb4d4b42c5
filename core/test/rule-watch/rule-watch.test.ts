// time-limit: 180
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { Receipt } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { gatehouse } from '../configuration/command.js'
import { testDatabase } from '../database.js'
import { call, legacy } from '../door.js'
import { answering, callsOf, fakeUpstream, params, yamlOf, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { homeWith } from '../plugins/plugin-file.js'
import { until } from '../until.js'

/** Answers a row of rules with one answer; evidence tells how many rules were asked for at once. */
const ROW = `setup(context) {
  const links = {
    add: (message) => modify({ message: { ...message, arguments: { text: message.arguments.text + '+' } } }),
    mask: () => ({ verdict: 'findings', findings: [{ type: 'X', leaf: 0, start: 0, end: 1, score: 1 }] }),
    fail: () => ({ ...undecided('it trapped'), strike: 'trap: unreachable' }),
    pass: () => ({ ...pass(), counts: { rows: 2 } }),
  }
  context.serve('engine.prepare', 'row', ({ config }) => ({ ok: true, passes: 1, state: config.does }), {
    engine: { rule: z.object({ does: z.string() }), answers: 'either', fails: true, whole: false, chains: true },
  })
  context.serve('engine.evaluate', 'row', ({ chain, message }) => {
    const answers = []
    for (const { state, action, shadow } of chain) {
      const answer = { ...links[state](message), evidence: { asked: chain.length, fuel: 100 } }
      answers.push(answer)
      if (answer.verdict === 'modify' && !shadow) message = answer.patch.message
    }
    return { ...answers[0], rest: answers.slice(1) }
  })
}`
const row = (name: string, does: string, more = '') =>
  `{ name: ${name}, engine: row, hook: request, does: ${does}, features: [${name.split('-')[0]}]${more} }`
const RULES = [
  row('chain-1', 'add'),
  row('chain-2', 'pass'),
  row('chain-3', 'add'),
  row('mixed-1', 'mask', ', action: mask'),
  row('mixed-2', 'add'),
  row('mixed-3', 'pass', ', shadow: true'),
  row('faulty', 'fail'),
  row('lenient', 'fail', ', onFailure: allow'),
  row('silent', 'fail', ', shadow: true'),
]

let server: FakeServer
let database: Awaited<ReturnType<typeof testDatabase>>
let homes: string[]
let [one, other]: (RunningGateway | undefined)[] = []
let agent: Access
const env = { GATEHOUSE_MASTER_KEY: randomBytes(32).toString('base64') }
const yaml = (rules: readonly string[] = RULES) =>
  yamlOf({ only: server }, { rules, plugins: 'plugins: [{ use: ./detect-row.mjs }]\n' })
const start = (home: string) => startGateway({ home, databaseUrl: database.url, env, yaml: yaml() })
const running = (gateway: RunningGateway | undefined): RunningGateway => gateway as RunningGateway

test.before(async () => {
  server = await fakeUpstream(answering({ content: [] }), {
    tools: ['chain', 'mixed', 'faulty', 'lenient', 'silent'],
  })
  database = await testDatabase()
  homes = [await homeWith({ 'detect-row': ROW }), await homeWith({ 'detect-row': ROW })]
  one = await start(homes[0] as string)
  other = await start(homes[1] as string)
  agent = await one.mintToken({ gateway: 'house', host: 'agent' })
})
test.after(async () => {
  for (const gateway of [one, other]) await gateway?.stop()
  await server.stop()
  await database.drop()
  for (const home of homes) await rm(home, { recursive: true, force: true, maxRetries: 5 })
})

const at = (gateway: RunningGateway | undefined): Access => ({
  ...agent,
  url: running(gateway).url + new URL(agent.url).pathname,
})
const ask = (name: string, gateway = one) => legacy(at(gateway), call(name, { text: 'abc' }))
const lastReceipts = async (): Promise<readonly Receipt[]> => {
  const last = (await running(one).recorded(agent)).at(-1)
  return last?.legs.flatMap((leg) => leg.receipts) ?? []
}
const given = () => params(callsOf(server).at(-1) as never)['arguments']
interface Shown {
  readonly id: string
  readonly name: string
  readonly quarantine: { readonly since: string; readonly reasons: readonly string[]; readonly canary: boolean } | null
}
const ruleAt = async (gateway: RunningGateway | undefined, name: string): Promise<Shown> => {
  const { rules } = (await running(gateway).api('GET', '/gateways/house')) as { readonly rules: readonly Shown[] }
  return rules.find((rule) => rule.name === name) as Shown
}
const alertOf = async (id: string, state: string) => {
  const { items } = await running(one).api('GET', `/alerts?type=rule_quarantined&rule=${id}&state=${state}`)
  return (items as readonly Readonly<Record<string, unknown>>[])[0]
}

test('rules in a row are asked for at once, and each has its receipt with its evidence', async () => {
  await ask('chain')
  assert.equal(given(), { text: 'abc++' })
  const receipts = await lastReceipts()
  assert.equal(
    receipts.map(({ rule_name, verdict, evidence }) => [rule_name, verdict, evidence]),
    [
      ['chain-1', 'modify', { asked: 3, fuel: 100 }],
      ['chain-2', 'pass', { asked: 3, fuel: 100 }],
      ['chain-3', 'modify', { asked: 3, fuel: 100 }],
    ],
  )
  assert.equal(receipts[1]?.findings, { rows: 2 })
})

test('what follows a change of the gateway itself is asked anew', async () => {
  await ask('mixed')
  assert.equal(given(), { text: '*bc+' })
  assert.equal(
    (await lastReceipts()).map(({ evidence }) => evidence?.['asked']),
    [3, 2, 2],
  )
})

test('three faults of a rule put it in quarantine: it is asked no more, here and elsewhere, and everybody can see why', async () => {
  const before = callsOf(server).length
  for (let n = 0; n < 3; n += 1) await ask('faulty')
  assert.equal((await lastReceipts())[0]?.evidence, { asked: 1, fuel: 100 })
  await ask('faulty')
  const [receipt] = await lastReceipts()
  assert.equal([receipt?.verdict, receipt?.fell, receipt?.evidence], ['undecided', 'closed', undefined])
  const { id } = await ruleAt(one, 'faulty')
  for (const gateway of [one, other]) {
    const shown = await until('it is shown', async () => (await ruleAt(gateway, 'faulty')).quarantine ?? undefined)
    assert.equal([shown.reasons, shown.canary], [Array(3).fill('trap: unreachable'), false])
  }
  await ask('faulty', other)
  assert.is((await lastReceipts())[0]?.evidence, undefined)
  assert.is(callsOf(server).length, before)
  const alert = await until('the alert is there', () => alertOf(id, 'open'))
  assert.is(alert['severity'], 'error')
  assert.match(String(alert['message']), /“faulty” is in quarantine: it failed 3 times/)
  const { context } = await running(one).api('GET', `/alerts/${String(alert['id'])}`)
  assert.match(JSON.stringify(context), 'trap: unreachable')
})

test('onFailure decides over messages of a rule in quarantine, and one in shadow stops nothing', async () => {
  for (const name of ['lenient', 'silent']) {
    for (let n = 0; n < 4; n += 1) await ask(name)
    const [receipt] = await lastReceipts()
    assert.is(receipt?.evidence, undefined)
    assert.equal([receipt?.verdict, receipt?.fell], ['undecided', name === 'lenient' ? 'open' : null])
    assert.equal(given(), { text: 'abc' })
    const { id } = await ruleAt(one, name)
    await until('the alert is there', () => alertOf(id, 'open'))
  }
})

test('a quarantine outlives a restart', async () => {
  await running(other).stop()
  other = await start(homes[1] as string)
  assert.ok((await ruleAt(other, 'faulty')).quarantine)
  await ask('faulty', other)
  assert.is((await lastReceipts())[0]?.evidence, undefined)
})

test('a release is a change like any other: the rule is run again at once, and the alert is over', async () => {
  const { id } = await ruleAt(one, 'faulty')
  const { code, out } = await gatehouse(running(one), ['rules', 'release', 'faulty', '--gateway', 'house'])
  assert.equal([code, out], [0, `faulty is run again. It was in quarantine for:\n${'  trap: unreachable\n'.repeat(3)}`])
  await ask('faulty')
  assert.equal((await lastReceipts())[0]?.evidence, { asked: 1, fuel: 100 })
  await until('the other runs it', async () => ((await ruleAt(other, 'faulty')).quarantine === null ? true : undefined))
  await until('the alert is over', () => alertOf(id, 'resolved'))
  const again = await gatehouse(running(one), ['rules', 'release', 'faulty', '--gateway', 'house'])
  assert.equal([again.code, again.err], [1, "the rule 'faulty' is not in quarantine\n"])
  const unknown = await gatehouse(running(one), ['rules', 'release', 'none', '--gateway', 'house'])
  assert.match(unknown.err, 'No rule of this gateway is called none.')
})

test('a rule that is changed is another one: it is free', async () => {
  assert.ok((await ruleAt(one, 'lenient')).quarantine)
  await running(one).configure(
    yaml(RULES.map((rule) => rule.replace('onFailure: allow', 'onFailure: allow, alerts: true'))),
  )
  assert.is((await ruleAt(one, 'lenient')).quarantine, null)
  await ask('lenient')
  assert.equal((await lastReceipts())[0]?.evidence, { asked: 1, fuel: 100 })
})

test('what both replicas counted is added up, version by version', async () => {
  await ask('chain')
  await ask('chain', other)
  await running(other).api('GET', `/rules/${(await ruleAt(other, 'chain-1')).id}/statistics`)
  const { id } = await ruleAt(one, 'chain-2')
  const { versions } = await running(one).api('GET', `/rules/${id}/statistics`)
  const [version] = versions as readonly Readonly<Record<string, unknown>>[]
  assert.equal(
    [version?.['calls'], version?.['changes'], version?.['fuel'], version?.['counters']],
    [3, 0, { calls: 3, mean: 100, max: 100 }, { rows: 6 }],
  )
  const faulty = await running(one).api('GET', `/rules/${(await ruleAt(one, 'faulty')).id}/statistics`)
  const [seen] = faulty['versions'] as readonly Readonly<Record<string, unknown>>[]
  assert.equal([seen?.['strikes'], seen?.['undecided']], [{ trap: 4 }, seen?.['calls']])
  const lenient = await running(one).api('GET', `/rules/${(await ruleAt(one, 'lenient')).id}/statistics`)
  assert.equal(
    (lenient['versions'] as readonly { readonly version: number }[]).map((one) => one.version),
    [2, 1],
  )
})

test('the command shows them, of one rule or of all', async () => {
  const { out } = await gatehouse(running(one), ['rules', 'stats', 'chain-1', '--gateway', 'house', '--since', '1h'])
  assert.match(out, /^rule +version +module +calls +blocks/)
  assert.match(out, /^chain-1 +1 +- +3 +0 +3 +0 +0 +0 +100 +100 /m)
  const all = await gatehouse(running(one), ['rules', 'stats', '--gateway', 'house', '--json'])
  assert.is((JSON.parse(all.out) as unknown[]).length, RULES.length)
  const listed = await gatehouse(running(one), ['rules', 'stats', '--gateway', 'house'])
  assert.match(listed.out, /silent is in quarantine since \S+:\n {2}trap: unreachable/)
})

test.run()
