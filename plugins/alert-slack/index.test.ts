import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AlertDelivery, DeliveryAnswer, PluginFetch, ToldAlert } from '@gatehouse/sdk'
import { startPlugin } from '@gatehouse/sdk/testing'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { SlackMessage } from './blocks.js'
import plugin from './index.js'

const ALERT: ToldAlert = {
  ...{
    id: 'a-1',
    type: 'server_unreachable',
    severity: 'error',
    key: 'crm',
    message: 'Server "crm" cannot be reached',
  },
  ...{ count: 1, state: 'open', firstAt: '2026-11-25T10:00:00.000Z', lastAt: '2026-11-25T10:05:00.000Z' },
  ...{ gateway: 'house', server: 'crm', rule: null, user: null },
  url: 'https://gate.example.com/console/alerts/a-1',
}
const envelope = (url: string) => ({
  ...{ id: 'd-1', attempt: 1, isTest: false, service: { name: 'gatehouse', version: '0.1.0' } },
  target: { id: 't', name: 'ops', config: { url } },
})

/** Stands in for a webhook of Slack: takes JSON of its shape and says `ok`, or what it is told to say. */
async function slack(status = 200, headers: Record<string, string> = {}, says = 'ok') {
  const received: SlackMessage[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    received.push(JSON.parse(Buffer.concat(parts).toString()) as SlackMessage)
    response.writeHead(status, headers).end(says)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const close = () => new Promise<void>((done) => (server.closeAllConnections(), server.close(() => done())))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/T0/B0/xyz`, received, close }
}

const plainFetch: PluginFetch = async (url, init) => {
  const { method = 'GET', headers = {}, body = null } = init ?? {}
  const response = await fetch(url, { method, headers, body })
  const text = await response.text()
  return {
    ...{ status: response.status, body: new TextEncoder().encode(text), text: () => text },
    header: (name) => response.headers.get(name) ?? undefined,
    json: () => JSON.parse(text) as unknown,
  }
}

async function send(
  what: { alert: Partial<ToldAlert> } | { digest: Extract<AlertDelivery, { kind: 'digest' }>['digest'] },
  answer: Parameters<typeof slack> = [],
): Promise<{ message: SlackMessage; answer: DeliveryAnswer }> {
  const { url, received, close } = await slack(...answer)
  const host = await startPlugin(plugin, {}, { fetch: plainFetch })
  const delivery: AlertDelivery =
    'alert' in what
      ? { ...envelope(url), kind: 'alert', alert: { ...ALERT, ...what.alert } }
      : { ...envelope(url), kind: 'digest', digest: what.digest }
  const said = await host.askKeyed('alert.deliver', 'alert-slack', delivery)
  await close()
  return { message: received[0] as SlackMessage, answer: said }
}
const textOf = ({ blocks }: SlackMessage): string => JSON.stringify(blocks)

test('an alert is a text for notifications and blocks for people, with a link to its page', async () => {
  const { message, answer } = await send({ alert: { count: 12 } })
  assert.equal(answer, { kind: 'delivered' })
  assert.is(message.text, 'error: Server "crm" cannot be reached')
  assert.match(textOf(message), '<https://gate.example.com/console/alerts/a-1|Open the alert>')
  assert.match(textOf(message), '12 times since 2026-11-25T10:00:00.000Z')
  assert.match(textOf(message), 'gateway house  ·  server crm')
})

test('words of others ping nobody, link nowhere and end no link', async () => {
  const evil = '<!channel> & <https://evil.example|click> *bold*\u0000\n> quote'
  const { message } = await send({ alert: { message: evil, server: '<@U1>' } })
  for (const text of [message.text, textOf(message)]) {
    assert.not.match(text, /<[!@]/)
    assert.not.match(text, '<https://evil')
    assert.match(text, '&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;')
  }
  const { message: digest } = await send({
    digest: {
      ...{ total: 2, bySeverity: { error: 2, warning: 0, info: 0 }, url: 'https://gate.example.com/console/alerts' },
      alerts: [{ ...ALERT, message: 'a|b> <!here>' }],
    },
  })
  assert.match(textOf(digest), '|a¦b&gt; &lt;!here&gt;>')
})

test('long words are cut without breaking an escape, and every block stays within what Slack takes', async () => {
  const { message } = await send({ alert: { message: '&'.repeat(8_000) } })
  for (const block of message.blocks as { text?: { text: string } }[]) {
    const text = block.text?.text ?? ''
    assert.ok(text.length <= 3_000)
    if (text.startsWith(':')) assert.match(text, /&amp;…\*$/)
  }
})

test('a digest counts all and lists the gravest', async () => {
  const alerts = Array.from({ length: 20 }, (_, n) => ({ ...ALERT, message: `alert ${n}`, count: n + 1 }))
  const digest = {
    total: 47,
    bySeverity: { error: 1, warning: 46, info: 0 },
    alerts,
    url: 'https://gate.example.com/console/alerts',
  }
  const { message } = await send({ digest })
  assert.is(message.text, '47 more alerts: 1 error, 46 warning')
  assert.is(message.blocks.length, 12)
  assert.match(textOf(message), '|alert 9> (10)')
  assert.match(textOf(message), '<https://gate.example.com/console/alerts|… and 37 others>')
})

test('what Slack refuses for good is rejected, and its patience is minded', async () => {
  const { answer: gone } = await send({ alert: {} }, [404, {}, 'no_service'])
  assert.equal(gone, { kind: 'rejected', message: 'HTTP 404. no_service', status: 404 })
  const { answer: busy } = await send({ alert: {} }, [429, { 'retry-after': '30' }, 'rate_limited'])
  assert.equal(busy, { kind: 'retry', message: 'HTTP 429. rate_limited', status: 429, afterMs: 30_000 })
  assert.is((await send({ alert: {} }, [500])).answer.kind, 'retry')
})

test('the address is a secret', async () => {
  const { options } = await startPlugin(plugin)
  const { secret, config } = options.get('alert.deliver/alert-slack') ?? {}
  assert.equal(secret, ['url'])
  assert.not(config?.safeParse({}).success)
  assert.not(config?.safeParse({ url: 'https://hooks.slack.com/x', channel: '#ops' }).success)
})

test.run()
