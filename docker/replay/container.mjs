// node container.mjs IMAGE.json ENV.json: starts the image as a container would be, proves it, stops it.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const [imageFile, extra = '{}'] = process.argv.slice(2)
const image = JSON.parse(readFileSync(imageFile, 'utf8'))
const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: '/home/node', ...image.env, ...JSON.parse(extra) }

if (image.user === 'root' || !image.healthcheck || !image.cmd)
  throw new Error('USER, HEALTHCHECK and CMD must be given')

const inside = (command) => [
  `--userspec=${image.user}:${image.user}`,
  image.root,
  '/usr/bin/env',
  '-i',
  ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
  'sh',
  '-c',
  `cd ${image.workdir} && exec "$@"`,
  'sh',
  ...command,
]
const run = (...command) =>
  execFileSync('chroot', inside(command), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

async function until(what, fact) {
  for (const end = Date.now() + 90_000; Date.now() < end; await pause(250)) if (await fact()) return
  throw new Error(`not within 90 s: ${what}`)
}

function isHealthy() {
  try {
    run(...image.healthcheck)
    return true
  } catch {
    return false
  }
}

async function call(token, query) {
  const answer = await fetch(`http://localhost:${env.PORT}/mcp/quickstart`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'search_docs', arguments: { query, limit: 1 } },
    }),
  })
  const { result } = await answer.json()
  if (answer.status !== 200 || !result?.content?.[0]?.text) throw new Error(`the call failed: ${answer.status}`)
  return result.content[0].text.split('\n')[0]
}

async function life(name) {
  const started = Date.now()
  const child = spawn('chroot', inside(image.cmd), { stdio: ['ignore', 'inherit', 'inherit'] })
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))
  try {
    await until('the health check', isHealthy)
    console.log(`${name}: healthy after ${Date.now() - started} ms as ${run('id', '-un').trim()}`)
    const seed = join(image.root, env.GATEHOUSE_HOME, 'quickstart.json')
    await until(
      'the quickstart gateway',
      () => existsSync(seed) && existsSync(join(image.root, env.GATEHOUSE_HOME, 'cli.json')),
    )
    console.log(`${name}: called: ${await call(JSON.parse(readFileSync(seed, 'utf8')).token, 'health check')}`)
    const legs = () =>
      run('gatehouse', 'logs', '--limit', '1', '--json')
        .trim()
        .split('\n')
        .map((row) => JSON.parse(row).log_type)
    await until('four legs on record', () => legs().length === 4)
    console.log(`${name}: on record: ${legs().join(' ')}`)
  } finally {
    const asked = Date.now()
    child.kill('SIGTERM')
    const end = await Promise.race([ended, pause(45_000).then(() => 'late')])
    if (end === 'late') child.kill('SIGKILL')
    console.log(`${name}: ended with ${end}, ${Date.now() - asked} ms after SIGTERM`)
    if (end !== 0) process.exitCode = 1
  }
}

await life('first start')
await life('second start')
