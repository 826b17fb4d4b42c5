import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { GatehouseError } from '../errors.js'
import { COST, createHasher } from './password-hash.js'
import { problemOfPassword } from './password-rules.js'

const cheap = createHasher({ log2N: 10, r: 8, p: 1 })

test('a password verifies against its hash alone, which carries its cost', async () => {
  const hash = await createHasher().hash('correct horse')
  assert.match(hash, /^scrypt\$15\$8\$3\$[\w-]{22}\$[\w-]{43}$/)
  assert.ok(await cheap.verify('correct horse', hash))
  assert.not.ok(await cheap.verify('correct horsf', hash))
  assert.is.not(await cheap.hash('same'), await cheap.hash('same'))
})

test('the cost is that of the measurement, and a hash of another cost is outdated', async () => {
  assert.equal(COST, { log2N: 15, r: 8, p: 3 })
  assert.ok(createHasher().isOutdated(await cheap.hash('x')))
  assert.not.ok(cheap.isOutdated(await cheap.hash('x')))
})

test('letters that look alike and are composed otherwise are the same password', async () => {
  assert.ok(await cheap.verify('Ame\u0301lie', await cheap.hash('Am\u00e9lie')))
})

test('what is no hash of ours verifies nothing, and neither does none', async () => {
  for (const stored of [null, '', 'scrypt', 'scrypt$10$8$1$AAAA$AAAA', 'bcrypt$10$8$1$AAAA$AAAA'])
    assert.not.ok(await cheap.verify('', stored), String(stored))
})

test('no hash takes as long as a wrong one', async () => {
  const hasher = createHasher({ log2N: 13, r: 8, p: 3 })
  const hash = await hasher.hash('right')
  const took = async (stored: string | null) => {
    const begun = process.hrtime.bigint()
    await hasher.verify('wrong', stored)
    return Number(process.hrtime.bigint() - begun)
  }
  const [none, wrong]: number[][] = [[], []]
  for (let round = 0; round < 7; round += 1) {
    none?.push(await took(null))
    wrong?.push(await took(hash))
  }
  const middle = (all: number[] = []) => all.toSorted((a, b) => a - b)[3] ?? 0
  assert.ok(middle(none) > middle(wrong) / 2, `${middle(none)} against ${middle(wrong)} ns`)
})

test('few are hashed at once, some wait, and the rest are told to come back', async () => {
  const ends = await Promise.allSettled(Array.from({ length: 40 }, () => cheap.hash('x')))
  const refused = ends.filter((end) => end.status === 'rejected')
  assert.is(refused.length, 40 - 2 - 24)
  for (const { reason } of refused) assert.is((reason as GatehouseError).code, 'GH_PAGE_BUSY')
  assert.ok(await cheap.hash('afterwards'))
})

test('length counts, and what everybody tries first does not pass', () => {
  const problem = (password: string) => problemOfPassword(password, 'ada.lovelace@example.com')
  assert.match(problem('elevensigns') ?? '', 'at least 12')
  assert.match(problem('x'.repeat(257)) ?? '', 'at most 256')
  assert.match(problem('Password1234') ?? '', 'first that anybody tries')
  assert.match(problem('abababababab') ?? '', 'repeats itself')
  assert.match(problem('aaaaaaaaaaaaa') ?? '', 'repeats itself')
  assert.match(problem('Ada.Lovelace@example.com') ?? '', 'your e-mail address')
  assert.match(problem('ada.lovelace') ?? '', 'your e-mail address')
  for (const fine of ['only lower case', '123456 123457', 'пароль из слов', '🐎🔋📎 auf dem Dach'])
    assert.is(problem(fine), null, fine)
})

test.run()
