import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const bin = (name: string) =>
  fileURLToPath(new URL(`../../../../scripts/node24/node_modules/.bin/${name}`, import.meta.url))
const client = fileURLToPath(new URL('./conformance-client.fixture.js', import.meta.url))
const isThere = existsSync(bin('conformance'))

/** The scenarios with most to get wrong, and how many checks each has: one that does not apply is left out with exit 0. */
const SCENARIOS: readonly [string, number][] = [
  ['metadata-var3', 18],
  ['scope-step-up', 26],
  ['scope-retry-limit', 27],
  ['token-endpoint-auth-post', 19],
  ['pre-registration', 12],
  ['resource-mismatch', 3],
  ['authorization-server-migration', 28],
  ['iss-supported-missing', 8],
  ['iss-wrong-issuer', 8],
  ['metadata-issuer-mismatch', 3],
]

/** What the suite says of one scenario. */
function judged(scenario: string): Promise<string> {
  const command = `${bin('node')} ${client}`
  const given = ['client', '--command', command, '--scenario', `auth/${scenario}`, '--spec-version', '2026-07-28']
  return new Promise((resolve) =>
    execFile(bin('node'), [bin('conformance'), ...given], { maxBuffer: 2 ** 26 }, (_, ...said) =>
      resolve(/Passed: .*/.exec(said.join('\n'))?.[0] ?? said.join('\n').slice(-2_000)),
    ),
  )
}

for (const [scenario, checks] of SCENARIOS) {
  const law = isThere ? test : test.skip
  law(`the suite finds no fault with ${scenario}`, async () => {
    assert.is(await judged(scenario), `Passed: ${checks}/${checks}, 0 failed, 0 warnings`)
  })
}

test.run()
