import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JsonObject } from '@gatehouse/sdk'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { legacy, modern } from '../test/door.js'
import { openLibrary } from './library.js'
import { createDocsServer } from './mcp-server.js'

let dir: string
let docs: ReturnType<typeof createDocsServer>
let server: Server
let access: Parameters<typeof modern>[0]
test.before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'gh-docs-'))
  await writeFile(join(dir, 'walls.md'), '# Walls\n\n## Gates\n\nA gate has a portcullis.\n')
  docs = createDocsServer(await openLibrary(dir), '1.2.3')
  server = createServer((req, res) => void docs.handle(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/docs/mcp`
  access = { url, token: '', tokenId: '', host: '' }
})
test.after(async () => {
  await docs.stop()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(dir, { recursive: true })
})

const call = async (name: string, given: JsonObject) =>
  (await modern(access, { method: 'tools/call', params: { name, arguments: given } })).json

test('both eras are served, without a session', async () => {
  const newer = (await modern(access, { method: 'tools/list' })).json.result.tools as {
    name: string
    annotations: object
  }[]
  const older = (await legacy(access, { method: 'tools/list' })).json.result.tools as { name: string }[]
  for (const tools of [newer, older])
    assert.equal(
      tools.map(({ name }) => name),
      ['search_docs', 'read_page'],
    )
  for (const { annotations } of newer) assert.is((annotations as { readOnlyHint: boolean }).readOnlyHint, true)
})

test('a search names the page, and the page can be read', async () => {
  const { result } = await call('search_docs', { query: 'portcullis' })
  assert.match(result.content[0].text, /## Walls – Gates\npath: walls\.md/)
  const page = await call('read_page', { path: 'walls.md' })
  assert.match(page.result.content[0].text, /^# Walls/)
})

test('what is not there is answered with what is', async () => {
  const { result } = await call('read_page', { path: '../../../etc/passwd' })
  assert.is(result.isError, true)
  assert.match(result.content[0].text, /Pages: walls\.md/)
  const found = await call('search_docs', { query: 'zeppelin' })
  assert.match(found.result.content[0].text, /Nothing fits 'zeppelin'/)
})

test('arguments that do not fit are refused', async () => {
  for (const given of [{}, { query: '' }, { query: 'x', limit: 99 }, { query: 7 }]) {
    const { result, error } = await call('search_docs', given as JsonObject)
    assert.ok(error !== undefined || result.isError === true, JSON.stringify(given))
  }
})

test.run()
