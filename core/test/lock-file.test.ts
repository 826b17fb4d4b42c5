import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>>
}

for (const folder of ['.', 'scripts/node24']) {
  test(`the lock file of ${folder} names every platform, so that npm ci accepts it`, () => {
    const path = fileURLToPath(new URL(`../../../${folder}/package-lock.json`, import.meta.url))
    const { packages } = JSON.parse(readFileSync(path, 'utf8')) as LockFile
    const missing = Object.entries(packages).flatMap(([owner, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !packages[`node_modules/${name}`] && !packages[`${owner}/node_modules/${name}`],
      ),
    )
    assert.equal(missing, [], 'run node scripts/complete-lock.mjs')
  })
}

test.run()
