import { readFileSync } from 'node:fs'
import { neighbourhoodOf } from '../../../core/dist/poisoning/neighbourhood.js'
import { scan } from '../../../core/dist/poisoning/scan.js'

const corpus = new URL('../../../core/test/corpus/poisoning/', import.meta.url)
const KINDS = { tool: 'tool', prompt: 'prompt', resource: 'resource', template: 'resource' }

/** Recall and false positives of the poisoning scan over one third of the corpus. */
export function measure(third) {
  const { servers, gateways, honest, poisoned } = JSON.parse(readFileSync(new URL(`${third}.json`, corpus), 'utf8'))
  const featuresOf = (slug) => servers[slug].names.map(([kind, name]) => ({ kind: KINDS[kind], name }))
  const around = (entry) => {
    const { servers: slugs } = gateways.find(({ id }) => id === entry.gateway)
    const named = (entry.neighbours ?? []).map((text) => ({ kind: 'tool', name: text.slice(text.indexOf('/') + 1) }))
    return [...slugs.filter((slug) => slug !== entry.server).flatMap(featuresOf), ...named]
  }
  const judge = (entry) => {
    const siblings = servers[entry.server] === undefined ? [] : featuresOf(entry.server)
    const subject = {
      kind: KINDS[entry.kind],
      definition: entry.definition,
      siblings,
      neighbours: neighbourhoodOf(around(entry)),
    }
    const started = process.hrtime.bigint()
    const result = scan(subject)
    return { entry, ...result, ms: Number(process.hrtime.bigint() - started) / 1e6 }
  }
  return { honest: honest.map(judge), poisoned: poisoned.map(judge) }
}
