import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { FeatureKind, JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { neighbourhoodOf } from './neighbourhood.js'
import type { NamedFeature } from './neighbourhood.js'
import { scan } from './scan.js'

interface Entry {
  readonly server: string
  readonly kind: string
  readonly definition: JsonObject
  readonly gateway: string
  readonly neighbours?: readonly string[]
}
interface Third {
  readonly servers: Readonly<Record<string, { readonly names: readonly (readonly [string, string])[] }>>
  readonly gateways: readonly { readonly id: string; readonly servers: readonly string[] }[]
  readonly honest: readonly Entry[]
  readonly poisoned: readonly Entry[]
}

const folder = new URL('../../test/corpus/poisoning/', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8')
const kindOf = (kind: string): FeatureKind => (kind === 'template' ? 'resource' : (kind as FeatureKind))

test('the corpus is what was frozen', () => {
  const page = read('README.md')
  for (const name of ['tuning.json', 'heldout.json']) {
    const sum = createHash('sha256').update(read(name)).digest('hex')
    assert.ok(page.includes(`${sum}  ${name}`), name)
  }
})

test('of the third that was held out nine in ten poisoned are found, and one in a hundred honest suspected at most', () => {
  const third = JSON.parse(read('heldout.json')) as Third
  assert.ok(third.honest.length >= 200 && third.poisoned.length >= 80)
  const found = third.poisoned.filter((entry) => isSuspicious(third, entry)).length
  const suspected = third.honest.filter((entry) => isSuspicious(third, entry)).length
  assert.ok(found / third.poisoned.length >= 0.9, `found ${found} of ${third.poisoned.length}`)
  assert.ok(suspected / third.honest.length <= 0.01, `suspected ${suspected} of ${third.honest.length}`)
})

function isSuspicious({ servers, gateways }: Third, entry: Entry): boolean {
  const featuresOf = (server: string): NamedFeature[] =>
    (servers[server]?.names ?? []).map(([kind, name]) => ({ kind: kindOf(kind), name }))
  const others =
    gateways.find(({ id }) => id === entry.gateway)?.servers.filter((server) => server !== entry.server) ?? []
  const named = (entry.neighbours ?? []).map((text) => ({
    kind: 'tool' as const,
    name: text.slice(text.indexOf('/') + 1),
  }))
  const neighbours = neighbourhoodOf([...others.flatMap(featuresOf), ...named])
  const { definition, kind, server } = entry
  return scan({ kind: kindOf(kind), definition, siblings: featuresOf(server), neighbours }).verdict === 'suspicious'
}

test.run()
