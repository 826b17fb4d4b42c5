// time-limit: 600
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const bin = (name: string) =>
  fileURLToPath(new URL(`../../../../scripts/node24/node_modules/.bin/${name}`, import.meta.url))
const client = fileURLToPath(new URL('./conformance-client.fixture.js', import.meta.url))
const isThere = existsSync(bin('conformance'))

const LEGACY = '2025-11-25'
const MODERN = '2026-07-28'

/** How many checks each scenario has in each version: one that does not apply is left out with exit 0. */
const SCENARIOS: readonly [string, legacy: number | null, modern: number][] = [
  ['metadata-default', 19, 18],
  ['metadata-var1', 19, 18],
  ['metadata-var2', 19, 18],
  ['metadata-var3', 19, 18],
  ['basic-cimd', 13, 11],
  ['scope-from-www-authenticate', 15, 14],
  ['scope-from-scopes-supported', 15, 14],
  ['scope-omitted-when-undefined', 15, 14],
  ['scope-step-up', 24, 26],
  ['scope-retry-limit', 26, 27],
  ['token-endpoint-auth-basic', 20, 19],
  ['token-endpoint-auth-post', 20, 19],
  ['token-endpoint-auth-none', 20, 19],
  ['pre-registration', 14, 12],
  ['resource-mismatch', null, 3],
  ['offline-access-scope', null, 12],
  ['offline-access-not-supported', null, 14],
  ['authorization-server-migration', null, 28],
  ['iss-supported', null, 14],
  ['iss-not-advertised', null, 14],
  ['iss-supported-missing', null, 8],
  ['iss-wrong-issuer', null, 8],
  ['iss-unexpected', null, 8],
  ['iss-normalized', null, 8],
  ['metadata-issuer-mismatch', null, 3],
]
/** The suite wants the client's document at one fixed address; ours is at the gateway's own. */
const WARNS = new Set(['basic-cimd'])

/** What the suite says of one scenario. */
function judged(scenario: string, version: string): Promise<string> {
  const command = `${bin('node')} ${client}`
  const given = ['client', '--command', command, '--scenario', `auth/${scenario}`, '--spec-version', version]
  return new Promise((resolve) =>
    execFile(bin('node'), [bin('conformance'), ...given], { maxBuffer: 2 ** 26 }, (_, ...said) =>
      resolve(/Passed: .*/.exec(said.join('\n'))?.[0] ?? said.join('\n').slice(-2_000)),
    ),
  )
}

for (const [scenario, legacy, modern] of SCENARIOS) {
  const law = isThere ? test : test.skip
  const warnings = WARNS.has(scenario) ? 1 : 0
  for (const [version, checks] of [[LEGACY, legacy] as const, [MODERN, modern] as const]) {
    if (checks === null) continue
    law(`the suite finds no fault with ${scenario} of ${version}`, async () => {
      const expected = `Passed: ${checks}/${checks}, 0 failed, ${warnings} warnings`
      assert.is(await judged(scenario, version), expected)
    })
  }
}

test.run()
