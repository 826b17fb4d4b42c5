import { SUBJECT } from './subject.mjs'
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { createEgress } from '../../core/dist/egress/egress.js'
import { startPlugins } from '../../core/dist/host/lifecycle.js'
import { loadPlugin } from '../../core/dist/host/load.js'
import { createBusEngines } from '../../core/dist/rules/bus-engines.js'
import { createRules } from '../../core/dist/rules/rules.js'
import { machine, opened, say } from './opened.mjs'
import { payload } from './payload.mjs'

const PLUGINS = ['detect-regex', 'detect-secrets', 'detect-pii', 'detect-webhook']
const KIB = 1024

/** What is measured: rules on a message of so many bytes. The webhook answers on loopback, in this very process. */
const FRONTS = [
  ...[1, 5, 20].flatMap((count) =>
    [1, 2, 16, 256].map((kib) => ({ name: `regex x${count}`, rules: ({ regex }) => regex.slice(0, count), kib })),
  ),
  ...[2, 16, 256].map((kib) => ({ name: 'secrets', rules: () => [SECRETS], kib })),
  { name: 'pii, patterns and checksums', rules: () => [PII], kib: 2 },
  { name: 'pii, names too', rules: () => [NAMES], kib: 2 },
  { name: 'webhook', rules: () => [WEBHOOK], kib: 2 },
]
const PATTERN_TYPES = [
  ...['CREDIT_CARD', 'IBAN_CODE', 'US_BANK_NUMBER', 'CRYPTO', 'US_SSN', 'US_ITIN', 'US_PASSPORT', 'US_DRIVER_LICENSE'],
  ...['UK_NHS', 'MEDICAL_LICENSE', 'EMAIL_ADDRESS', 'PHONE_NUMBER', 'IP_ADDRESS', 'URL', 'DATE_TIME'],
]
const SECRETS = { name: 'secrets', engine: 'secrets', action: 'detect' }
const PII = { name: 'pii', engine: 'pii', action: 'replace', entities: PATTERN_TYPES }
const NAMES = { name: 'names', engine: 'pii', action: 'replace', entities: ['PERSON', 'LOCATION', 'NRP'] }
const WEBHOOK = { name: 'webhook', engine: 'echo', action: null }

/** A text as one block, and the same bytes as rows of a table: one leaf, or hundreds. */
const SHAPES = {
  text: (bytes) => ({ content: [{ type: 'text', text: payload(bytes) }] }),
  rows: (bytes) => ({ content: [], structuredContent: { rows: rowsOf(bytes) } }),
}

function rowsOf(bytes) {
  const rows = []
  const row = {
    id: 'b-4711',
    title: 'Order left the depot',
    note: 'The driver expects delays near the bridge',
    open: 3,
  }
  for (let size = 0; size < bytes; size += JSON.stringify(row).length + 1) rows.push(row)
  return rows
}

/**
 * What the rules of one leg take, walked by the very code that the gateway runs, in this process alone: microseconds of its
 * clock and of its processor, beside what it takes to read the message from JSON and to write it again.
 */
export function bench(options) {
  return opened(async (closing) => {
    const on = machine()
    const regex = [...(await rulesOf('five-rules')), ...(await rulesOf('twenty-rules'))]
    const bench = await openRules(closing)
    const samples = []
    for (let round = 0; round <= options.rounds; round += 1) {
      say(round === 0 ? 'warming up' : `round ${round} of ${options.rounds}`)
      for (const shape of Object.keys(SHAPES)) {
        for (const front of FRONTS) {
          const rules = await bench.prepare(front.rules({ regex }))
          const sample = await measure(bench, { rules, message: SHAPES[shape](front.kib * KIB), ms: options.ms })
          if (round > 0) samples.push({ front: front.name, kib: front.kib, shape, round, ...sample })
        }
      }
    }
    return { at: new Date().toISOString(), machine: on, options, samples, missing: 0 }
  })
}

async function rulesOf(name) {
  return parse(await readFile(fileURLToPath(new URL(`${name}.yaml`, import.meta.url)), 'utf8'))
}

async function openRules(closing) {
  const webhook = await startWebhook()
  closing.push(webhook.stop)
  const egress = createEgress({ allow: [], loopback: true, proxy: null })
  const quiet = { debug() {}, info() {}, warn() {}, error() {} }
  const loaded = await Promise.all(PLUGINS.map((use) => loadPlugin({ use, config: {}, from: process.cwd() })))
  const lent = { log: () => quiet, store: () => null, fetch: egress.fetch, dial: egress.dial, now: Date.now }
  const host = await startPlugins(loaded, {
    lent,
    log: quiet,
    onFault: (fault) => say(`${fault.plugin}: ${fault.detail}`),
  })
  closing.push(host.stop)
  const onUndecided = (rule, why) => {
    throw new Error(`${rule.name} was undecided: ${why}`)
  }
  const rules = createRules({
    engines: createBusEngines(host.bus),
    hashKey: null,
    engineLimit: () => 30_000,
    onUndecided,
  })
  const instance = { id: 'i', slug: 'echo', kind: 'webhook', config: { url: webhook.url } }
  return {
    rules,
    prepare: (list) => Promise.all(list.map((one, n) => prepareOne(rules, one, { n, instance }))),
  }
}

const prepared = new Map()

async function prepareOne(rules, { name, engine, action, patterns, ...rest }, { n, instance }) {
  const known = prepared.get(name)
  if (known !== undefined) return known
  const { hook: _, ...config } = rest
  const facts = { managedBy: 'api', createdAt: '', updatedAt: '', gatewayId: 'g', position: n, version: 1 }
  const flags = {
    hook: 'both',
    onFailure: 'block',
    alerts: false,
    enabled: true,
    shadow: false,
    servers: [],
    features: [],
  }
  const rule = {
    id: `r${n}`,
    name,
    engine,
    action,
    ...facts,
    ...flags,
    config: patterns ? { ...config, patterns } : config,
  }
  const compiled = await rules.prepareRule(rule, engine === instance.slug ? instance : null, null)
  if (compiled.broken !== null) throw new Error(`${name}: ${compiled.broken}`)
  prepared.set(name, compiled)
  return compiled
}

/** Answers that all is well. */
async function startWebhook() {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('{"verdict":"pass"}'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = async () => void server.close().closeAllConnections()
  return { url: `http://127.0.0.1:${server.address().port}/inspect`, stop }
}

/** Messages are read anew from their JSON for each leg, as they are in the gateway: no rule meets a text twice. */
async function measure({ rules: { inspectResponse } }, { rules, message, ms }) {
  const text = JSON.stringify(message)
  const json = await timed(ms, () => JSON.stringify(JSON.parse(text)))
  const both = await timed(ms, async () => {
    const read = JSON.parse(text)
    const outcome = inspectResponse(rules, SUBJECT, read)
    const { kind } = outcome instanceof Promise ? await outcome : outcome
    if (kind === 'blocked') throw new Error('the message was blocked')
    JSON.stringify(read)
  })
  return {
    jsonUs: json.cpuUs,
    cpuUs: both.cpuUs - json.cpuUs,
    us: both.us - json.us,
    mainUs: both.mainUs - json.mainUs,
  }
}

/** Microseconds for one turn: of the clock, of all threads' processor time, and of this thread while it was busy. */
async function timed(ms, work) {
  const until = performance.now() + ms
  const cpu = process.cpuUsage()
  const loop = performance.eventLoopUtilization()
  const began = performance.now()
  let turns = 0
  let synchronous = 0
  while (performance.now() < until) {
    const at = performance.now()
    const answer = work()
    synchronous += performance.now() - at
    if (answer instanceof Promise) await answer
    turns += 1
    // Sockets and workers get their turn too.
    if (turns % 64 === 0) await new Promise(setImmediate)
  }
  const { user, system } = process.cpuUsage(cpu)
  const elapsed = performance.now() - began
  const { active } = performance.eventLoopUtilization(loop)
  return {
    us: (elapsed * 1_000) / turns,
    cpuUs: (user + system) / turns,
    mainUs: (Math.max(active, synchronous) * 1_000) / turns,
  }
}
