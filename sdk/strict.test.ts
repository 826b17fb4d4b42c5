import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { parseStrictly } from './strict.js'

const problem = (schema: z.ZodType, value: unknown): string => {
  const parsed = parseStrictly(schema, value)
  assert.not(parsed.ok)
  return parsed.ok ? '' : parsed.problem
}

test('a value that fits is parsed, with its defaults', () => {
  assert.equal(parseStrictly(z.object({ a: z.number().default(1) }), {}), { ok: true, value: { a: 1 } })
})

test('an object schema takes no key that it does not name, however it was made', () => {
  for (const schema of [z.object({ a: z.number() }), z.strictObject({ a: z.number() })])
    assert.match(problem(schema, { a: 1, lavel: 2 }), /^config: .*"lavel"/)
  assert.match(
    problem(
      z.object({ a: z.number() }).refine(() => true),
      { a: 1, b: 2 },
    ),
    '"b"',
  )
})

test('checks of the schema still hold', () => {
  const schema = z.object({ a: z.number() }).refine(({ a }) => a > 1, 'a is too small')
  assert.is(problem(schema, { a: 1 }), 'config: a is too small')
})

test('who says that any key may stand there is heeded', () => {
  assert.equal(parseStrictly(z.looseObject({}), { a: 1 }), { ok: true, value: { a: 1 } })
  assert.ok(!parseStrictly(z.object({}).catchall(z.number()), { a: 'x' }).ok)
})

test('a problem names its key and never holds the value', () => {
  const schema = z.object({ sinks: z.array(z.object({ token: z.string().max(3), mode: z.enum(['a', 'b']) })) })
  assert.match(problem(schema, { sinks: [{ token: 'hunter2', mode: 'a' }] }), /^config\.sinks\.0\.token: /)
  for (const token of ['hunter2', 1])
    assert.not.match(problem(schema, { sinks: [{ token, mode: 'hunter2' }] }), 'hunter2')
})

test('a schema that throws is a problem, and its words stay inside', () => {
  const schema = z.unknown().transform(() => {
    throw new Error('hunter2')
  })
  assert.is(problem(schema, {}), 'config: its schema throws')
  assert.is(
    problem(
      z.string().refine(async () => true),
      'a',
    ),
    'config: its schema throws',
  )
})

test('a slip is told with the word that was meant, and long lists are not told', () => {
  const ids = Array.from({ length: 40 }, (_, n) => `us-thing-${n}`).concat('us-ssn')
  const schema = z.object({ library: z.array(z.enum(ids)) })
  const errors = (value: unknown) => {
    const parsed = parseStrictly(schema, value)
    return parsed.ok ? [] : parsed.errors
  }
  assert.equal(errors({ library: ['us-sn'] }), [
    { path: 'library.0', message: 'is none of the 41 that are known; did you mean us-ssn?' },
  ])
  assert.equal(errors({ library: [7] }), [{ path: 'library.0', message: 'is none of the 41 that are known' }])
  assert.equal(errors({ library: [], libary: 1 }), [{ path: 'libary', message: 'unknown key; did you mean library?' }])
})

test.run()
