import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ListKind, NameKind, PublicName } from '../domain/store.js'
import { nameItems } from './catalog-name-items.js'
import { GivenNames, NameTable } from './catalog-names.js'
import { routeUri } from './catalog-routes.js'
import { FakeNames, plan } from './catalog-testing.js'

const given = (kind: NameKind, name: string): PublicName => ({
  kind,
  assignmentId: 'assignment-a',
  upstreamName: name,
  name,
})
const quiet = { warn: () => {} }
const candidate = (name: string) => ({ ...given('tool', name), wanted: [name] })

function fullTable(kind: NameKind): NameTable {
  const table = new NameTable()
  table.add(Array.from({ length: 20_000 }, (_, index) => given(kind, `x:${index}`)))
  return table
}

function itemsOf(kind: ListKind, table: NameTable) {
  const gateway = plan(['a', 'b'])
  const [assignment] = gateway.assignments
  if (assignment === undefined) throw new Error('no assignment')
  const made = nameItems(gateway, assignment, { kind, byId: new Map([['x:new', {}]]), era: null }, table)
  return {
    gateway,
    assignment,
    names: made.items.map(({ feature }) => feature.publicName),
    unnamed: made.unnamed.length,
  }
}

test('a server that used up its names shows new resources under their prefix, and they lead back', () => {
  const table = fullTable('resource')
  const { gateway, assignment, names, unnamed } = itemsOf('resources', table)
  assert.equal([names, unnamed], [['gh+a+x:new'], 0])
  assert.equal(routeUri(gateway, table, 'gh+a+x:new'), { assignment, uri: 'x:new' })
})

test('a server that used up its names gets no new tools', async () => {
  assert.equal(itemsOf('tools', fullTable('tool')).names, [])
  const names = new FakeNames()
  names.given.push(
    ...Array.from({ length: 20_000 }, (_, index) => ({ ...given('tool', `x:${index}`), gatewayId: 'g' })),
  )
  const here = new GivenNames(names, Date.now, quiet)
  await here.load('g')
  await here.claim('g', [candidate('new')])
  assert.is(names.claims, 0)
})

test('a failing database is left alone for two seconds', async () => {
  const names = new FakeNames()
  const clock = { now: 0 }
  const here = new GivenNames(names, () => clock.now, quiet)
  names.away = true
  await here.load('g')
  names.away = false
  await here.load('g')
  assert.is(here.peek('g'), undefined)
  clock.now = 2_000
  await here.load('g')
  assert.is.not(here.peek('g'), undefined)
})

test('what another replica gave first stands', async () => {
  const names = new FakeNames()
  const here = new GivenNames(names, Date.now, quiet)
  await here.load('g')
  await names.claim('g', [{ ...candidate('find'), assignmentId: 'other', wanted: ['find'] }])
  await here.claim('g', [{ ...candidate('find'), wanted: ['find', 'a__find'] }])
  assert.is(here.peek('g')?.nameOf('tool', 'assignment-a', 'find'), 'a__find')
})

test('names count up a version only when something is new', () => {
  const table = new NameTable()
  table.add([given('tool', 'x')])
  table.add([given('tool', 'x')])
  assert.is(table.version, 1)
})

test.run()
