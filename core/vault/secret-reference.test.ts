import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isSecretReference, resolveReferences, resolveSecret } from './secret-reference.js'
import type { ReferenceSource } from './secret-reference.js'

const SOURCE: ReferenceSource = {
  env: { TOKEN: 'hunter2', EMPTY: '', NESTED: '${env:TOKEN}' },
  readFile: async (path) => {
    if (path === '/run/secrets/key') return 'from a file\n'
    if (path === '/empty') return '\n'
    throw new Error('ENOENT')
  },
}

async function refusal(text: string): Promise<string> {
  const error = await resolveSecret(text, SOURCE).then(
    () => undefined,
    (thrown: Error & { code?: string }) => thrown,
  )
  assert.is(error?.code, 'GH_CONFIG_SECRET', error?.stack ?? 'it did not fail')
  return error?.message ?? ''
}

test('a variable and a file give their value', async () => {
  assert.is(await resolveSecret('${env:TOKEN}', SOURCE), 'hunter2')
  assert.is(await resolveSecret('${file:/run/secrets/key}', SOURCE), 'from a file')
})

test('a scheme word may stand before a reference', async () => {
  assert.is(await resolveSecret('Bearer ${env:TOKEN}', SOURCE), 'Bearer hunter2')
})

test('a value that looks like a reference stays text', async () => {
  assert.is(await resolveSecret('${env:NESTED}', SOURCE), '${env:TOKEN}')
})

test('what is missing or empty is named', async () => {
  assert.match(await refusal('${env:ABSENT}'), 'ABSENT is not set')
  assert.match(await refusal('${env:EMPTY}'), 'EMPTY is not set')
  assert.match(await refusal('${env:toString}'), 'toString is not set')
  assert.match(await refusal('${file:/absent}'), '/absent cannot be read')
  assert.match(await refusal('${file:/empty}'), '/empty is empty')
})

for (const text of [
  'sk-live-abc',
  'Bearer sk-live-abc',
  'sk-live-abc${env:TOKEN}',
  '${env:TOKEN}sk-live-abc',
  'sk-live-abc ${env:TOKEN}',
  '$TOKENsk-live-abc',
]) {
  test(`a secret written as "${text}" is refused and not repeated`, async () => {
    assert.not.match(await refusal(text), 'sk-live-abc')
    assert.is(isSecretReference(text), false)
  })
}

for (const text of ['${TOKEN}', '${env:}', '${env:A-B}', '${vault:x}', '${}']) {
  test(`${text} is no reference that is known`, async () => {
    assert.ok(await refusal(text))
  })
}

test('where text is welcome, references in it are replaced and the rest stays', async () => {
  assert.is(await resolveReferences('a ${env:TOKEN} b ${file:/run/secrets/key}', SOURCE), 'a hunter2 b from a file')
  assert.is(await resolveReferences('plain $text {x}', SOURCE), 'plain $text {x}')
})

test.run()
