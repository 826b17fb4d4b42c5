import { randomBytes } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { masterKey } from './keys.js'
import { rotate } from './rotate.js'
import type { RotationSource, SealedRecord } from './rotate.js'
import { createVault } from './vault.js'
import type { Vault } from './vault.js'

const OLD = masterKey(randomBytes(32))
const NEW = masterKey(randomBytes(32))
const before = createVault([OLD])
const after = createVault([NEW, OLD])

const contextOf = (id: string) => ({ table: 'servers', id, field: 'token' })

/** Sealed secrets in memory; `onReplace` runs before a swap, as another writer would. */
class Store implements RotationSource {
  readonly rows = new Map<string, string>()
  onReplace: (id: string) => void = () => {}

  write(id: string, plain: string, vault: Vault): void {
    this.rows.set(id, vault.seal(plain, contextOf(id)))
  }

  read(id: string, vault: Vault): string {
    return vault.openText(this.rows.get(id) ?? '', contextOf(id))
  }

  async *pages(from: string | undefined, size: number): AsyncGenerator<readonly SealedRecord[]> {
    let cursor = from ?? ''
    for (;;) {
      const page = [...this.rows.keys()].toSorted().filter((id) => id > cursor)
      if (page.length === 0) return
      const ids = page.slice(0, size)
      cursor = ids.at(-1) ?? cursor
      yield ids.map((id) => ({ context: contextOf(id), sealed: this.rows.get(id) ?? '', cursor: id }))
    }
  }

  async replace({ cursor }: SealedRecord, expected: string, renewed: string): Promise<boolean> {
    this.onReplace(cursor)
    if (this.rows.get(cursor) !== expected) return false
    this.rows.set(cursor, renewed)
    return true
  }
}

function filled(count: number): Store {
  const store = new Store()
  for (let at = 0; at < count; at++) store.write(`r${100 + at}`, `secret ${at}`, before)
  return store
}

test('every record opens with the new key alone afterwards, and a second run has nothing to do', async () => {
  const store = filled(25)
  const report = await rotate({ vault: after, source: store, batch: 10 })
  assert.equal([report.seen, report.rotated, report.current, report.changed, report.failed], [25, 25, 0, 0, 0])
  for (let at = 0; at < 25; at++) assert.is(store.read(`r${100 + at}`, createVault([NEW])), `secret ${at}`)
  const frozen = new Map(store.rows)
  const again = await rotate({ vault: after, source: store })
  assert.equal([again.rotated, again.current], [0, 25])
  assert.equal(store.rows, frozen)
})

test('a write that comes between is never lost', async () => {
  const store = filled(10)
  store.onReplace = (id) => {
    if (Number(id.slice(1)) % 2 === 0) store.write(id, `newer ${id}`, before)
  }
  const report = await rotate({ vault: after, source: store, batch: 3 })
  assert.equal([report.rotated, report.changed], [5, 5])
  assert.is(store.read('r100', before), 'newer r100')
  store.onReplace = () => {}
  const again = await rotate({ vault: after, source: store })
  assert.equal([again.rotated, again.current, again.changed], [5, 5, 0])
  assert.is(store.read('r100', createVault([NEW])), 'newer r100')
})

test('two rotations at once end with every record on the new key', async () => {
  const store = filled(20)
  const [one, two] = await Promise.all([
    rotate({ vault: after, source: store, batch: 4 }),
    rotate({ vault: after, source: store, batch: 7 }),
  ])
  assert.is(one.rotated + two.rotated, 20)
  for (const id of store.rows.keys()) assert.ok(store.read(id, createVault([NEW])))
})

test('an interrupted rotation is taken up where it stood', async () => {
  const store = filled(10)
  const controller = new AbortController()
  let cursor: string | undefined
  const first = rotate({
    vault: after,
    source: store,
    batch: 4,
    signal: controller.signal,
    onProgress: (progress) => {
      cursor = progress.cursor
      controller.abort(new Error('stop here'))
    },
  })
  const error = await first.then(
    () => undefined,
    (thrown: Error) => thrown,
  )
  assert.is(error?.message, 'stop here')
  assert.is(cursor, 'r103')
  const rest = await rotate({ vault: after, source: store, ...(cursor === undefined ? {} : { after: cursor }) })
  assert.equal([rest.seen, rest.rotated, rest.cursor], [6, 6, 'r109'])
})

test('a record that does not open is left as it is, reported without its content, and stops nobody else', async () => {
  const store = filled(3)
  const lost = createVault([masterKey(randomBytes(32))]).seal('hunter2', contextOf('r101'))
  store.rows.set('r101', lost)
  store.rows.set('r102', before.seal('hunter2', contextOf('elsewhere')))
  store.write('r103', 'fine', before)
  const report = await rotate({ vault: after, source: store })
  assert.equal([report.rotated, report.failed], [2, 2])
  assert.equal(report.failures, [
    { context: contextOf('r101'), code: 'GH_VAULT_UNKNOWN_KEY' },
    { context: contextOf('r102'), code: 'GH_VAULT_OPEN' },
  ])
  assert.is(store.rows.get('r101'), lost)
  assert.not.match(JSON.stringify(report), 'hunter2')
})

test.run()
