import { HOOKS, type HookKind, type HookName } from '@gatehouse/sdk'
import { test } from 'uvu'
import { assertDocument, table } from '../test/markdown.js'

/** The types of payload and answer by their names in the SDK; the table holds them as types only. */
const TYPES: Readonly<Record<HookName, readonly [payload: string, answer: string]>> = {
  'auth.identify': ['Credentials', 'Identification'],
  'identity.enrich': ['Enrichment', 'Verdict'],
  'upstream.credentials': ['CredentialRequest', 'CredentialAnswer'],
  'feature.list': ['FeatureList', 'Verdict'],
  'feature.request': ['FeatureRequest', 'Verdict'],
  'feature.response': ['FeatureResponse', 'Verdict'],
  'engine.prepare': ['PrepareRequest', 'Prepared'],
  'engine.evaluate': ['EvaluateRequest', 'Evaluation'],
  'engine.test': ['TestRequest', 'TestAnswer'],
  'engine.retire': ['{ state }', ''],
  'idp.begin': ['IdpBegin', 'IdpRedirect'],
  'idp.complete': ['IdpComplete', 'IdpPerson'],
  'idp.logout': ['IdpLogout', '{ url }'],
  'idp.notice': ['IdpNotice', 'IdpEnded'],
  'idp.describe': ['{ idp }', 'IdpDescription'],
  'exporter.deliver': ['Delivery', 'DeliveryAnswer'],
  'alert.raised': ['RaisedAlert', ''],
  'alert.deliver': ['AlertDelivery', 'DeliveryAnswer'],
}

const KINDS: Readonly<Record<HookKind, string>> = {
  sequential: 'one after another, each sees what the former left; a block ends it',
  first: 'in order, until one answers something else than `notMine`',
  parallel: 'all at once on the same payload; answers are kept in order',
  keyed: 'exactly one handler for each key',
}

const code = (text: string) => (text === '' ? '' : `\`${text}\``)
const names = Object.keys(HOOKS) as HookName[]

test('docs/hooks.md says what the hook table says', () => {
  const rows = names.map((name) => {
    const { kind, deadlineMs, onFailure, writable, summary } = HOOKS[name]
    const [payload, answer] = TYPES[name]
    const seconds = `${deadlineMs / 1_000} s`
    const fields = (writable as readonly string[]).map(code).join(' ')
    return [code(name), kind, code(payload), code(answer), fields, seconds, onFailure, summary]
  })
  assertDocument(
    new URL('../../../docs/hooks.md', import.meta.url),
    `# Hooks

The places where a [plugin](plugins.md) can have its say. This page is made from the hook table of the SDK
(\`sdk/hooks.ts\`) and compared with it by a test; the types that it names are documented there.

${table(['hook', 'kind', 'payload', 'answer', 'writable', 'deadline', 'on failure', 'for'], rows)}

**Kind**: how the handlers of a hook are asked.

${table(
  ['kind', 'handlers are asked'],
  Object.entries(KINDS).map(([kind, how]) => [kind, how]),
)}

**Writable**: the fields of the payload that a \`modify\` may replace.

**Deadline**: for all handlers of one run together, and never beyond the deadline of the call.

**On failure**: a throw, a rejection, a late answer, no answer, an answer of another shape or a patch outside the writable
fields refuses the message (\`closed\`) or goes on as if the handler were not there (\`open\`). The verdict \`undecided\` is
decided in the same way. Two hooks leave it to their caller: for \`engine.evaluate\` the rule's own \`onFailure\` decides,
and after a failure of \`exporter.deliver\` the batch is tried again.
`,
  )
})

test.run()
