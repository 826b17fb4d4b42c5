import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { realpathSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { ensureNode24 } from '../node24.mjs'

/** The checks that pass: fewer mean that something has silently not been run. */
const WHOLE = 3
const LIMIT_MS = 120_000

/**
 * Runs the suite's scenarios for authorization servers against the gateway's own, the person's steps in a real browser. Answers
 * the sums and lines for the report; without a browser one line that says so, and nothing passed.
 */
export async function authorization({ folder, say }) {
  const { hasChromium, openChromium } = await import('../../core/dist/test/chromium.js')
  if (!hasChromium) return skipped('no Chromium is installed, and a person has to allow the client in a browser')
  const { oauthHouse } = await import('../../core/dist/test/oauth/house.js')
  const { realPerson } = await import('../../core/dist/test/oauth/real-person.js')
  say('the authorization server')
  const house = await oauthHouse()
  const chromium = await openChromium()
  try {
    const person = await realPerson(house, chromium, 'ann@example.com')
    const port = await freePort()
    const clientId = await register(house.url, `http://127.0.0.1:${port}/callback`)
    await runSuite({ house, person, port, clientId, folder })
    return judge(await readChecks(folder))
  } finally {
    await chromium.close()
    await house.stop()
  }
}

async function runSuite({ house, person, port, clientId, folder }) {
  const { node, conformance } = ensureNode24()
  const args = ['authorization', '--url', house.url, '--client-id', clientId, '--resource', `${house.url}/mcp/eng`]
  const child = spawn(node, [realpathSync(conformance), ...args, '-p', String(port), '-o', folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const late = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
  let said = ''
  let allowed
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
    const url = new RegExp(`^${house.url}/\\S*authorize\\?\\S+$`, 'm').exec(said)?.[0]
    if (url !== undefined) allowed ??= person.allow(url).catch((error) => (child.kill('SIGKILL'), console.error(error)))
  })
  child.stderr.resume()
  await once(child, 'close')
  clearTimeout(late)
  await allowed
}

/** A public client, as the suite takes every server for that offers `none`. */
async function register(url, redirectUri) {
  const response = await fetch(`${url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Conformance',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
    }),
  })
  return (await response.json()).client_id
}

async function readChecks(folder) {
  const checks = []
  for (const name of await readdir(folder, { recursive: true }))
    if (name.endsWith('checks.json')) checks.push(...JSON.parse(await readFile(join(folder, name), 'utf8')))
  return checks
}

function judge(checks) {
  const passed = checks.filter(({ status }) => status === 'SUCCESS').length
  const lost = checks.filter(({ status }) => status === 'FAILURE')
  const lines = lost.map(({ id, errorMessage }) => `- ${id}: ${errorMessage}`)
  const missing = passed + lost.length < WHOLE ? [`- only ${passed} checks of ${WHOLE} were made`] : []
  const text = [`Authorization server, passed checks of all: ${passed}/${checks.length}`, ...lines, ...missing].join(
    '\n',
  )
  return { text, sums: { passed, failed: lost.length + missing.length, skipped: 0 } }
}

const skipped = (why) => ({
  text: `Authorization server: skipped, ${why}`,
  sums: { passed: 0, failed: 0, skipped: WHOLE },
})

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}
