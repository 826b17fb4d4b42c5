import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RULE_LIMITS, type RuleGrants, RuleManifest, RuleVector } from '@gatehouse/sdk/rule-abi'
import { z } from 'zod'

/** The folder of the examples; this file runs from `dist` in it. */
export const folder = fileURLToPath(new URL('../', import.meta.url))

/** How a module is made from its sources, in the example's folder. `gatehouse` is the command of this repository. */
const Recipe = z.strictObject({
  command: z.array(z.string()).min(1),
  output: z.string(),
  /** The version of the compiler that made the prebuilt module: another one may give other bytes. */
  compiler: z.string().optional(),
})

export interface Example {
  readonly name: string
  readonly folder: string
  readonly recipe: z.output<typeof Recipe>
  readonly module: Buffer
  /** What stands beside the module. */
  readonly manifest: RuleManifest
  /** What the manifest should be, by `rule.json`, `tests/` and the module. */
  readonly expected: RuleManifest
  /** What an operator must grant it. */
  readonly grants: RuleGrants
}

export function listExamples(): readonly string[] {
  return readdirSync(folder).filter((name) => statSync(join(folder, name)).isDirectory() && name !== 'dist')
}

export function readExample(name: string): Example {
  const own = join(folder, name)
  const recipe = Recipe.parse(readJson(own, 'build.json'))
  const written = readJson(own, 'rule.json') as Readonly<Record<string, unknown>>
  const module = readFileSync(join(own, `${name}.${written['language'] === 'javascript' ? 'js' : 'wasm'}`))
  const sha256 = createHash('sha256').update(module).digest('hex')
  const expected = RuleManifest.parse({ ...written, sha256, vectors: readVectors(join(own, 'tests')) })
  const manifest = RuleManifest.parse(readJson(own, `${name}.rule.json`))
  return { name, folder: own, recipe, module, manifest, expected, grants: grantsFor(expected, module.length) }
}

function grantsFor({ wasiStub, limits: { memoryPages = 0 } }: RuleManifest, moduleBytes: number): RuleGrants {
  return {
    ...(wasiStub && { wasiStub }),
    ...(memoryPages > RULE_LIMITS.memoryPages && { memoryPages }),
    ...(moduleBytes > RULE_LIMITS.moduleBytes && { moduleBytes }),
  }
}

function readVectors(tests: string): readonly RuleVector[] {
  const files = readdirSync(tests).filter((name) => name.endsWith('.json'))
  return files.toSorted().flatMap((name) => z.array(RuleVector).parse([readJson(tests, name)].flat()))
}

const readJson = (place: string, name: string): unknown => JSON.parse(readFileSync(join(place, name), 'utf8'))
