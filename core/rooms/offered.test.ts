import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GatehouseError, type ErrorCode } from '../errors.js'
import { plan } from '../upstream/catalog-testing.js'
import { whereOffered } from './offered.js'
import { inSession, routed } from './testing.js'

const house = plan(['crm'])
type Route = Parameters<typeof whereOffered>[0]
const codeOf = async (route: Route, method: string, mayHave: boolean) => {
  try {
    await whereOffered(route, () => mayHave)(inSession(house, { method }))
    return null
  } catch (thrown) {
    return (thrown as GatehouseError).code
  }
}
const failing = (code: ErrorCode, late: boolean): Route => (late ? async () => fail(code) : () => fail(code))
const fail = (code: ErrorCode): never => {
  throw new GatehouseError(code)
}

for (const late of [false, true]) {
  test(`a feature that is unknown where no server has its kind is an unknown method (late: ${late})`, async () => {
    for (const [method, code] of [
      ['tools/call', 'GH_ROUTE_FEATURE'],
      ['prompts/get', 'GH_ROUTE_FEATURE'],
      ['resources/read', 'GH_ROUTE_RESOURCE'],
    ] as const) {
      assert.is(await codeOf(failing(code, late), method, false), 'GH_DOOR_UNKNOWN_METHOD', method)
      assert.is(await codeOf(failing(code, late), method, true), code, method)
    }
  })

  test(`any other refusal stays what it is (late: ${late})`, async () => {
    assert.is(await codeOf(failing('GH_DOOR_PARAMS', late), 'tools/call', false), 'GH_DOOR_PARAMS')
  })
}

test('a resource that is in no list is asked for only where a server has resources', async () => {
  const route: Route = () => routed(house, 'x:1')
  assert.is(await codeOf(route, 'resources/read', true), null)
  assert.is(await codeOf(route, 'resources/read', false), 'GH_DOOR_UNKNOWN_METHOD')
})

test('what is found goes on, and completions only where a server has them', async () => {
  const found = routed(house, 'find')
  const route: Route = () => ({ ...found, feature: { ...found.feature, definition: { name: 'find' } } })
  assert.is(await codeOf(route, 'tools/call', false), null)
  assert.is(await codeOf(route, 'completion/complete', true), null)
  assert.is(await codeOf(route, 'completion/complete', false), 'GH_DOOR_UNKNOWN_METHOD')
})

test.run()
