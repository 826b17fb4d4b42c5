import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { abilityOf, lacks, NO_ABILITY, slotKey } from './ability.js'

const APPS = 'io.modelcontextprotocol/ui'
const HTML = 'text/html;profile=mcp-app'
const apps = (mimeTypes: unknown) => ({ extensions: { [APPS]: { mimeTypes } } }) as JsonObject

test('what a client declares is relayed as far as its revision has it', () => {
  const all = {
    sampling: { tools: {}, context: {}, other: {} },
    elicitation: { form: {}, url: {} },
    roots: { listChanged: true, other: 1 },
    experimental: { x: {} },
    tasks: {},
  }
  const of = (version: string) => abilityOf(all, version).capabilities
  const roots = { listChanged: true }
  const whole = { sampling: { tools: {}, context: {} }, elicitation: { form: {}, url: {} }, roots }
  assert.equal(of('2026-07-28'), whole)
  assert.equal(of('2025-11-25'), whole)
  assert.equal(of('2025-06-18'), { sampling: {}, elicitation: {}, roots })
  assert.equal(of('2025-03-26'), { sampling: {}, roots })
  assert.equal(of('2024-11-05'), { sampling: {}, roots })
})

test('a form is what is meant when no mode is named', () => {
  const able = abilityOf({ elicitation: {} }, '2025-11-25')
  assert.equal(able.capabilities, { elicitation: { form: {} } })
  assert.is(lacks(able, 'elicitation/create', { message: '' }), null)
  assert.is(lacks(abilityOf({ elicitation: {} }, '2025-06-18'), 'elicitation/create', {}), null)
  assert.equal(lacks(able, 'elicitation/create', { mode: 'url' }), { elicitation: { url: {} } })
})

test('two that can do the same are one, whatever else they say', () => {
  const [one, other] = [
    { elicitation: { form: {}, x: 1 }, y: 2 },
    { z: [], elicitation: {} },
  ] as const
  assert.is(abilityOf(one, '2025-11-25'), abilityOf(other, '2025-11-25'))
  assert.is(abilityOf({ experimental: {} }, '2025-11-25'), NO_ABILITY)
  for (const odd of [null, true, 1, 'x', []])
    assert.is(abilityOf({ sampling: odd, elicitation: odd, roots: odd } as JsonObject, '2025-11-25'), NO_ABILITY)
})

test('a client that can do nothing shares the slot of its credential', () => {
  assert.is(slotKey({ key: 'public', ability: NO_ABILITY }), 'public')
  assert.is.not(slotKey({ key: 'public', ability: abilityOf({ roots: {} }, '2025-11-25') }), 'public')
})

test('the media types of apps are relayed in one order', () => {
  const able = abilityOf(apps([HTML]), '2025-11-25')
  assert.equal(able.capabilities, apps([HTML]))
  assert.is(abilityOf(apps([HTML, HTML]), '2025-11-25'), able)
  const two = abilityOf(apps(['text/plain', HTML]), '2025-11-25')
  assert.is(abilityOf(apps([HTML, 'text/plain']), '2025-11-25'), two)
})

test('what is no media type is not relayed, nor more of them than anybody has', () => {
  const able = abilityOf(apps([HTML, 7, null, { a: 1 }, 'x'.repeat(10_000), 'no type', 'a/b" session x']), '2025-11-25')
  assert.equal(able.capabilities, apps([HTML]))
  const many = abilityOf(apps(Array.from({ length: 100 }, (_, at) => `text/t${at}`)), '2025-11-25')
  assert.ok(many.key.length < 500)
  assert.equal(abilityOf(apps('text/html'), '2025-11-25').capabilities, { extensions: { [APPS]: {} } })
})

test('who makes up media types does not make up connections without end', () => {
  const keys = new Set<string>()
  for (let at = 0; at < 10_000; at += 1) keys.add(abilityOf(apps([`text/made-up-${at}`]), '2026-07-28').key)
  assert.ok(keys.size < 100, `${keys.size}`)
  const plain = abilityOf({ ...apps([HTML]), roots: {} }, '2026-07-28')
  assert.equal(plain.capabilities, { roots: {}, ...apps([HTML]) })
})

test('an unknown question is beyond everybody', () => {
  assert.ok(lacks(abilityOf({ sampling: {} }, '2025-11-25'), 'tools/list', undefined))
})

test.run()
