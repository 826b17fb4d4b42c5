import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { Client } from 'pg'
import { testDatabase } from '../database.js'
import { startGateway, type Access, type RunningGateway } from '../gateway.js'
import { until } from '../until.js'

/** Gateways on one database, each with a home of its own, reaching each other by ways that the test can watch and cut. */
export interface Cluster {
  readonly gateways: readonly RunningGateway[]
  /** One more; waits until it listens. `own` is of its environment alone. */
  add(own?: Env): Promise<RunningGateway>
  /** Stops one as an operator would. */
  remove(gateway: RunningGateway): Promise<void>
  /** The id by which the others know it. */
  idOf(gateway: RunningGateway): Promise<string>
  /** Waits until it has told anew that it lives: the next time is five seconds later. */
  nextBeat(gateway: RunningGateway): Promise<void>
  /** How many requests the others have passed on to it. */
  reached(gateway: RunningGateway): number
  /** Nobody reaches it any more but its clients. */
  cutOff(gateway: RunningGateway): void
  /** The same access at another of them. */
  at(gateway: RunningGateway, access: Access): Access
  sql(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>
  stop(): Promise<void>
}

type Env = Readonly<Record<string, string>>

export interface ClusterOptions {
  readonly count?: number
  readonly env?: Env
  /** The operator's file of each. */
  readonly yaml?: string
}

export async function startCluster({ count = 2, env = {}, yaml }: ClusterOptions = {}): Promise<Cluster> {
  const database = await testDatabase()
  const client = new Client({ connectionString: database.url })
  client.on('error', () => undefined)
  await client.connect()
  const shared = { ...env, GATEHOUSE_MASTER_KEY: randomBytes(32).toString('base64') }
  const members: { readonly gateway: RunningGateway; readonly way: Way }[] = []
  const wayTo = (gateway: RunningGateway): Way => {
    const way = members.find((member) => member.gateway === gateway)?.way
    if (way === undefined) throw new Error('it is not of this cluster')
    return way
  }
  const sql: Cluster['sql'] = async (text) => (await client.query<Record<string, unknown>>(text)).rows
  const rowOf = (gateway: RunningGateway) =>
    until(
      'it is registered',
      async () => (await sql(`select id, beats from replicas where url = '${wayTo(gateway).url}'`))[0],
    )
  const add = async (own: Env = {}): Promise<RunningGateway> => {
    const way = await openWay()
    const env = { ...shared, GATEHOUSE_REPLICA_URL: way.url, ...own }
    const file = yaml === undefined ? {} : { yaml }
    const gateway = await startGateway({ databaseUrl: database.url, env, ...file })
    way.lead(await portOf(gateway))
    members.push({ gateway, way })
    return gateway
  }
  const remove = async (gateway: RunningGateway): Promise<void> => {
    const way = wayTo(gateway)
    members.splice(
      members.findIndex((member) => member.gateway === gateway),
      1,
    )
    await gateway.stop()
    await way.stop()
  }
  for (let n = 0; n < count; n++) await add()
  return {
    get gateways() {
      return members.map(({ gateway }) => gateway)
    },
    add,
    remove,
    sql,
    idOf: async (gateway) => String((await rowOf(gateway))['id']),
    async nextBeat(gateway) {
      const { beats } = await rowOf(gateway)
      await until('it beats', async () => (await rowOf(gateway))['beats'] !== beats || undefined)
    },
    reached: (gateway) => wayTo(gateway).requests(),
    cutOff: (gateway) => wayTo(gateway).cut(),
    at: (gateway, access) => ({ ...access, url: gateway.url + new URL(access.url).pathname }),
    async stop() {
      await Promise.all([...members].map(({ gateway }) => remove(gateway)))
      await client.end()
      await database.drop()
    },
  }
}

/** Its own URL may be a public one. */
async function portOf({ home }: RunningGateway): Promise<number> {
  const { url } = JSON.parse(await readFile(join(home, 'cli.json'), 'utf8')) as { url: string }
  return Number(new URL(url).port)
}

interface Way {
  readonly url: string
  lead(port: number): void
  requests(): number
  cut(): void
  stop(): Promise<void>
}

/** A port that is known before the gateway behind it has one. */
async function openWay(): Promise<Way> {
  const sockets = new Set<Socket>()
  let target = 0
  let requests = 0
  const server = createServer((near) => {
    near.on('data', (chunk: Buffer) => (requests += /^(GET|POST) /.test(chunk.toString('latin1', 0, 5)) ? 1 : 0))
    const far = connect(target, '127.0.0.1')
    for (const [one, other] of [[near, far] as const, [far, near] as const]) {
      sockets.add(one)
      one.on('error', () => other.destroy()).on('close', () => (sockets.delete(one), other.destroy()))
    }
    if (target === 0) near.destroy()
    else near.pipe(far).pipe(near)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const cut = (): void => {
    target = 0
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lead: (port) => void (target = port),
    requests: () => requests,
    cut,
    async stop() {
      cut()
      await new Promise((done) => server.close(done))
    },
  }
}
