import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { masterKey } from './keys.js'
import { loadMasterKeys } from './load-master-keys.js'

async function inHome(use: (home: string) => Promise<void>): Promise<void> {
  const home = await mkdtemp(path.join(tmpdir(), 'gatehouse-vault-'))
  try {
    await use(home)
  } finally {
    await rm(home, { recursive: true })
  }
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: Error & { code?: string }) => thrown,
  )
  assert.is(error?.code, 'GH_VAULT_KEY', error?.stack ?? 'it did not fail')
  return error?.message ?? ''
}

const encoded = () => randomBytes(32).toString('base64')
const idOf = (text: string) => masterKey(Buffer.from(text, 'base64')).id

test('a key is made once in the home, for its owner alone, and found again', async () => {
  await inHome(async (parent) => {
    const home = path.join(parent, 'new', 'home')
    const [first] = await loadMasterKeys({ home })
    const [second] = await loadMasterKeys({ home, inline: null, file: null })
    assert.is(second?.id, first?.id)
    assert.is((await stat(path.join(home, 'master.key'))).mode & 0o777, 0o600)
    assert.equal(await readdir(home), ['master.key'])
  })
})

test('of many starts at once one key wins', async () => {
  await inHome(async (home) => {
    const all = await Promise.all(Array.from({ length: 8 }, () => loadMasterKeys({ home })))
    assert.is(new Set(all.map(([key]) => key?.id)).size, 1)
    assert.equal(await readdir(home), ['master.key'])
  })
})

test('several keys keep their order, newest first', async () => {
  const [newer, older] = [encoded(), encoded()]
  const keys = await loadMasterKeys({ inline: ` ${newer}, ${older} `, home: '/nowhere' })
  assert.equal(
    keys.map(({ id }) => id),
    [newer, older].map(idOf),
  )
})

test('a file outside the home is read whatever its mode, one key a line', async () => {
  await inHome(async (home) => {
    await inHome(async (elsewhere) => {
      const file = path.join(elsewhere, 'keys')
      const [newer, older] = [encoded(), encoded()]
      await writeFile(file, `${newer}\n${older}\n`, { mode: 0o644 })
      const keys = await loadMasterKeys({ file, home })
      assert.equal(
        keys.map(({ id }) => id),
        [newer, older].map(idOf),
      )
      assert.equal(await readdir(home), [])
    })
  })
})

for (const mode of [0o640, 0o604, 0o660, 0o610]) {
  test(`a key file in the home with mode ${mode.toString(8)} is refused, with the way out`, async () => {
    await inHome(async (home) => {
      const place = path.join(home, 'master.key')
      await writeFile(place, encoded())
      await chmod(place, mode)
      for (const source of [{ home }, { home, file: place }]) {
        const message = await refusal(loadMasterKeys(source))
        assert.match(message, `mode ${mode.toString(8)}`)
        assert.match(message, `chmod 600 ${place}`)
      }
    })
  })
}

test('a key of a wrong length or spelling is named by its place and never shown', async () => {
  const short = randomBytes(31).toString('base64')
  const message = await refusal(loadMasterKeys({ inline: `${encoded()},${short}`, home: '/nowhere' }))
  assert.match(message, 'key 2 of 2 in GATEHOUSE_MASTER_KEY has 31 bytes; 32 are needed')
  assert.not.match(message, short)
  assert.match(await refusal(loadMasterKeys({ inline: 'p@ssw0rd!', home: '/nowhere' })), 'is not base64')
  assert.not.match(await refusal(loadMasterKeys({ inline: 'p@ssw0rd!', home: '/nowhere' })), 'p@ssw0rd')
})

test('the same key twice is refused', async () => {
  const key = encoded()
  assert.match(await refusal(loadMasterKeys({ inline: `${key},${key}`, home: '/nowhere' })), 'twice')
})

test('two sources at once are refused', async () => {
  assert.match(await refusal(loadMasterKeys({ inline: encoded(), file: '/keys', home: '/nowhere' })), 'not both')
})

test('a file that is missing or empty is refused and not made anew', async () => {
  await inHome(async (home) => {
    const missing = path.join(home, '..', 'gatehouse-no-such-key')
    assert.match(await refusal(loadMasterKeys({ file: missing, home })), 'gatehouse-no-such-key cannot be read')
    const empty = path.join(home, 'master.key')
    await writeFile(empty, '', { mode: 0o600 })
    assert.match(await refusal(loadMasterKeys({ home })), 'has no key')
    assert.is(await readFile(empty, 'utf8'), '')
  })
})

test.run()
