import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hashesOf, pinHash } from '../domain/feature-hash.js'
import { DEFAULT_PINNING, EVERYTHING, PIN_FIELDS } from '../domain/provisioning.js'
import type { Store } from '../domain/store.js'
import { configurationBench, refusalOf } from '../test/configuration.js'
import { createMemoryStore } from '../test/memory-store.js'
import { exportFile } from './export.js'
import { createGateway, updateGateway } from './nouns/gateways.js'
import { updateAssignment } from './nouns/parts.js'
import { createServer } from './nouns/servers.js'

const SELECTED = { mode: 'selected' as const, allow: [{ name: 'find', pin: ['schema' as const, 'name' as const] }] }

async function bench(store: Store = createMemoryStore()) {
  const it = await configurationBench({ store })
  await it.mutations.change(it.admin, (work) => createServer(work, 'crm', { url: 'https://crm.example.com/mcp' }))
  await it.mutations.change(it.admin, (work) => createGateway(work, 'eng', { servers: [{ server: 'crm' }] }))
  const assignment = async () => (await it.store.gateways.byKey('eng'))!.assignments[0]!
  return { ...it, assignment, lesser: await it.as(['basicGatewayManagement', 'viewAndUseAllGateways']) }
}

test('a server that is put on a gateway shows everything, until that is said otherwise', async () => {
  const { mutations, admin, assignment } = await bench()
  assert.equal((await assignment()).provisioning, EVERYTHING)
  const { id } = await assignment()
  await mutations.change(admin, (work) => updateAssignment(work, 'eng', id, { tools: SELECTED }))
  const tools = { mode: 'selected', allow: [{ name: 'find', pin: { fields: ['schema'] } }] }
  assert.equal((await assignment()).provisioning, { ...EVERYTHING, tools })
  await mutations.change(admin, (work) => updateAssignment(work, 'eng', id, { enabled: false }))
  assert.equal((await assignment()).provisioning, { ...EVERYTHING, tools }, 'another change leaves it')
})

test('what exists of a server is changed by nobody without the capability, by no way', async () => {
  const { mutations, admin, lesser, assignment } = await bench()
  const { id } = await assignment()
  const refused = async (work: Promise<unknown>) => assert.is((await refusalOf(work)).code, 'GH_API_FORBIDDEN')
  await refused(mutations.change(lesser, (work) => updateAssignment(work, 'eng', id, { tools: SELECTED })))
  await refused(
    mutations.change(lesser, (work) => updateGateway(work, 'eng', { servers: [{ server: 'crm', tools: SELECTED }] })),
  )
  await refused(mutations.change(lesser, (work) => updateGateway(work, 'eng', { pinning: { trustOnFirstUse: true } })))
  await refused(mutations.change(lesser, (work) => createGateway(work, 'new', { pinning: { onChange: 'alert' } })))
  await refused(
    mutations.change(lesser, (work) => createGateway(work, 'new', { servers: [{ server: 'crm', tools: SELECTED }] })),
  )
  await mutations.change(admin, (work) => updateAssignment(work, 'eng', id, { tools: SELECTED }))
  // What stays as it is needs nothing.
  await mutations.change(lesser, (work) =>
    updateGateway(work, 'eng', { servers: [{ server: 'crm', tools: SELECTED }] }),
  )
  await refused(mutations.change(lesser, (work) => updateGateway(work, 'eng', { servers: [{ server: 'crm' }] })))
  assert.is((await assignment()).provisioning.tools.mode, 'selected')
})

test('keys of pinning that are left out stay as they are', async () => {
  const { mutations, admin, store } = await bench()
  await mutations.change(admin, (work) => updateGateway(work, 'eng', { pinning: { trustOnFirstUse: true } }))
  await mutations.change(admin, (work) => updateGateway(work, 'eng', { pinning: { onChange: 'alert' } }))
  const pinning = { ...DEFAULT_PINNING, trustOnFirstUse: true, onChange: 'alert' as const }
  assert.equal((await store.gateways.byKey('eng'))?.pinning, pinning)
})

test('export writes the hash of what a pin has come to trust, which then trusts nothing else', async () => {
  const memory = createMemoryStore()
  const hashes = hashesOf({ name: 'find', description: 'finds' }, 'name')
  const approval = { kind: 'tool' as const, name: 'find', version: 1, hashes, refused: [] }
  let assignmentId = ''
  const features = {
    ...memory.features,
    of: async () => ({ version: 1, baselines: [], approvals: [{ ...approval, assignmentId }] }),
  }
  const { mutations, admin, store, assignment, files, fromFile } = await bench({ ...memory, features })
  const pin = ['description' as const]
  const { id } = await assignment()
  assignmentId = id
  const allow = [
    { name: 'find', pin },
    { name: 'drop*', pin: true as const },
  ]
  await mutations.change(admin, (work) => updateAssignment(work, 'eng', id, { tools: { mode: 'selected', allow } }))
  const exporting = { ...store, features }
  const text = await exportFile(exporting)
  assert.ok(text.includes(pinHash('find', hashes, pin)))
  assert.match(text, 'name: drop*\n              pin: true')
  const steps = await files.apply(fromFile(text))
  assert.equal(
    steps.filter(({ noun }) => noun === 'gateways').map(({ fields }) => fields),
    [['servers']],
  )
  assert.equal((await assignment()).provisioning.tools.allow, [
    { name: 'find', pin: { fields: pin, sha256: pinHash('find', hashes, pin) } },
    { name: 'drop*', pin: { fields: PIN_FIELDS } },
  ])
  assert.equal(await files.plan(fromFile(await exportFile(exporting))), [])
})

test.run()
