// time-limit: 300
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { call, modern } from '../door.js'
import { answerJson, fakeUpstream, yamlOf, type FakeServer } from '../fake-upstream.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { findPresidio, type Presidio } from '../presidio.js'

/** The real analyzer behind a rule of a real gateway. */
const TEXT = 'Write to ana.silva@example.com 🎉, says Robert Miller of Chicago.'
const RULES = [
  `{ name: mails, engine: ner, hook: response, entities: [EMAIL_ADDRESS], action: replace, features: [mails] }`,
  `{ name: all, engine: ner, hook: response, action: replace, features: [all] }`,
  `{ name: closed, engine: gone, hook: response, action: replace, features: [closed] }`,
  `{ name: open, engine: gone, hook: response, action: replace, onFailure: allow, features: [open] }`,
]
let presidio: Presidio
let server: FakeServer
let gateway: RunningGateway
let access: Access

const found = await findPresidio()
if ('missing' in found) {
  console.log(`skipped: ${found.missing}`)
  test.skip('the real Presidio finds what a rule asks for', () => {})
} else {
  test.before(async () => {
    presidio = await found.start()
    const result = { resultType: 'complete', content: [{ type: 'text', text: TEXT }] }
    server = await fakeUpstream((seen) => answerJson(seen, { result }), { tools: ['mails', 'all', 'closed', 'open'] })
    const engines = `engines:
  ner: { kind: presidio, url: "${presidio.url}", headers: { X-Key: "\${env:NER_KEY}" } }
  gone: { kind: presidio, url: "http://127.0.0.1:49151/" }
`
    gateway = await startGateway({
      yaml: `${yamlOf({ one: server }, { rules: RULES })}${engines}`,
      env: { NER_KEY: 'k-of-the-analyzer' },
    })
    access = await gateway.mintToken({ gateway: 'house', host: 'agent' })
  })
  test.after(async () => {
    await gateway?.stop()
    await server?.stop()
    await presidio?.stop()
  })

  const said = async (tool: string) => (await modern(access, call(tool))).json.result

  test('an e-mail address becomes its tag, for the client and in the log', async () => {
    assert.is((await said('mails')).content[0].text, TEXT.replace('ana.silva@example.com', '<EMAIL_ADDRESS>'))
    const legs = (await gateway.recorded(access)).at(-1)?.legs ?? []
    assert.match(JSON.stringify(legs.at(-1)?.body), '<EMAIL_ADDRESS>')
    assert.not.match(JSON.stringify(legs.at(-1)), 'ana.silva@')
    assert.equal(
      legs.at(-1)?.receipts.map(({ verdict, findings }) => [verdict, findings]),
      [['modify', { EMAIL_ADDRESS: 1 }]],
    )
  })

  test('places behind an emoji are where they are, and names are found', async () => {
    const { text } = (await said('all')).content[0]
    assert.is(text, 'Write to <EMAIL_ADDRESS> 🎉, says <PERSON> of <LOCATION>.')
  })

  test('an analyzer that is gone blocks, or lets pass where the rule says so', async () => {
    const closed = await said('closed')
    assert.is(closed.isError, true)
    assert.not.match(JSON.stringify(closed), 'ana.silva@')
    assert.is((await said('open')).content[0].text, TEXT)
  })
}

test.run()
