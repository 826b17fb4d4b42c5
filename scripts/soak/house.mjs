import { fork } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeHome, startGateway } from '../../core/dist/test/gateway.js'

const script = (name) => fileURLToPath(new URL(name, import.meta.url))
const PEOPLE = ['mia', 'max', 'kim']
/** A person's sessions beyond these end, the longest idle first: so many may stand when all have gone. */
export const SESSIONS_PER_PERSON = 20

/** A gateway as a process of its own before an HTTP server of each era and one command, and three people with a token each. */
export async function startHouse(closing) {
  const upstreams = await startUpstreams()
  closing.push(upstreams.stop)
  const home = await makeHome()
  const probePath = join(home, 'probe.sock')
  const options = `--import ${JSON.stringify(new URL('probe.mjs', import.meta.url).href)}`
  const env = { NODE_OPTIONS: options, SOAK_PROBE: probePath, LOG_LEVEL: 'info' }
  const gateway = await startGateway({ home, yaml: fileOf(upstreams.port), env })
  let isStopped = false
  const stop = async () => {
    if (isStopped) return
    isStopped = true
    await gateway.stop()
  }
  closing.push(stop)
  const accesses = await Promise.all(
    PEOPLE.map((person) => gateway.mintToken({ gateway: 'house', host: person, user: `${person}@example.com` })),
  )
  return {
    gateway,
    upstreams,
    accesses,
    port: Number(new URL(gateway.url).port),
    probe: () => askProbe(probePath),
    /** Takes the servers out of the configuration: whatever is open to them has to be closed. */
    forgetServers: () => gateway.configure(fileOf(null)),
    stop,
  }
}

/** JSON is YAML. Without a port the gateway has no servers any more. */
function fileOf(port) {
  const enabled = port !== null
  const url = (era) => ({ url: `http://127.0.0.1:${port ?? 1}/${era}`, protocol: era, enabled })
  const command = [process.execPath, script('child.mjs')]
  const people = PEOPLE.map((person) => `${person}@example.com`)
  const limits = {
    call: '20s',
    callTotal: '60s',
    sessionsPerUser: SESSIONS_PER_PERSON,
    sessionIdle: '30s',
    stdioProcesses: 24,
  }
  return JSON.stringify({
    version: 1,
    settings: { limits },
    users: Object.fromEntries(people.map((person) => [person, { role: 'member' }])),
    teams: { crew: { members: people } },
    servers: { modern: url('modern'), legacy: url('legacy'), stdio: { command, protocol: 'legacy', enabled } },
    gateways: { house: { teams: ['crew'], servers: ['modern', 'legacy', 'stdio'].map((server) => ({ server })) } },
  })
}

async function startUpstreams() {
  const child = fork(script('upstreams.mjs'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const next = () => new Promise((resolve) => child.once('message', resolve))
  const { port } = await next()
  return {
    port,
    change: () => child.send('change'),
    async count() {
      child.send('count')
      return next()
    },
    async stop() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

function askProbe(path) {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(path, () => socket.write('measure'))
    socket.setEncoding('utf8').on('data', (piece) => (text += piece))
    socket.once('end', () => resolve(JSON.parse(text))).once('error', reject)
  })
}
