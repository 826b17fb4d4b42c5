import { z } from 'zod'
import { createConnection, removeConnection, updateConnection } from '../../configuration/nouns/connections.js'
import { createHost, hostState, removeHost, updateHost } from '../../configuration/nouns/hosts.js'
import { strict } from '../../configuration/problems.js'
import { connectionShape, hostShape, slug } from '../../configuration/schemas.js'
import { mustExist, mustRefer } from '../../configuration/work.js'
import type { Connection, Host } from '../../domain/nouns.js'
import type { ConnectionFilter, ConnectionSeen, HostSeen, Store } from '../../domain/store.js'
import { ConnectionAnswer, HostAnswer } from './answers.js'
import { crud } from './crud.js'
import { NEEDS } from './needs.js'
import type { ApiOptions, Operation } from './operation.js'
import { PageQuery } from './pages.js'

const HostQuery = PageQuery.extend({ kind: hostShape.kind.or(z.literal('oauth')) })

export function hostOperations({ store, mutations, url }: ApiOptions): Operation[] {
  const seen = async (host: Host | HostSeen) => ({
    ...host,
    owner: (await hostState({ store }, host)).owner,
    connectUrl: host.kind === 'token' ? `${url()}/connect/host/${host.slug}` : null,
  })
  return crud({
    name: 'host',
    path: '/hosts',
    see: ['createAndManageApiTokens', 'disableAndEnableHosts'],
    needs: NEEDS.hosts,
    answer: HostAnswer,
    create: strict({ slug, ...hostShape }),
    patch: strict({ title: hostShape.title, owner: hostShape.owner.nullable(), enabled: hostShape.enabled }),
    about: {
      list: 'Lists the AI clients that are known, with how many connections each has and when one was last used.',
      delete: 'Removes a host with its connections and their tokens.',
    },
    mutations,
    paged: {
      query: HostQuery,
      async page({ query }, slice) {
        const { kind } = query as z.output<typeof HostQuery>
        const rows = await store.hosts.pageSeen(slice, kind === undefined ? {} : { kind })
        return Promise.all(rows.map(seen))
      },
    },
    one: (_, reference) => mustExist(store.hosts, 'host', reference),
    async show(host) {
      const [counted] = await store.hosts.pageSeen({ limit: 1, after: null }, { id: host.id })
      return seen(counted ?? host)
    },
    doCreate: (work, { slug, ...input }) => createHost(work, slug, input),
    doUpdate: updateHost,
    doRemove: removeHost,
  })
}

const reference = z.string().min(1).max(320).optional()
const ConnectionQuery = PageQuery.extend({ host: reference, gateway: reference, user: reference })

export function connectionOperations({ store, mutations }: ApiOptions): Operation[] {
  return crud({
    name: 'connection',
    path: '/connections',
    see: ['createAndManageApiTokens', 'disableAndEnableConnections'],
    needs: NEEDS.connections,
    answer: ConnectionAnswer,
    create: strict(connectionShape),
    patch: strict({ enabled: connectionShape.enabled }),
    about: {
      list: 'Lists the connections of hosts, narrowed to a host, a gateway or a person: each by id or name.',
      get: 'Shows a connection.',
      create: 'Connects a token host with a gateway, for a person: yourself unless told.',
      delete: 'Removes a connection with its tokens.',
    },
    mutations,
    paged: {
      query: ConnectionQuery,
      page: async ({ query }, slice) =>
        store.connections.pageSeen(slice, await filterOf(store, query as z.output<typeof ConnectionQuery>)),
    },
    one: (_, reference) => mustExist(store.connections, 'connection', reference),
    show: (one) => showConnection(store, one),
    doCreate: createConnection,
    doUpdate: updateConnection,
    doRemove: removeConnection,
  })
}

async function showConnection(store: Store, { id }: Connection): Promise<ConnectionSeen | undefined> {
  const [seen] = await store.connections.pageSeen({ limit: 1, after: null }, { id })
  return seen
}

async function filterOf(
  store: Store,
  { host, gateway, user }: z.output<typeof ConnectionQuery>,
): Promise<ConnectionFilter> {
  return {
    ...(host === undefined ? {} : { hostId: (await mustRefer(store.hosts, 'host', host)).id }),
    ...(gateway === undefined ? {} : { gatewayId: (await mustRefer(store.gateways, 'gateway', gateway)).id }),
    ...(user === undefined ? {} : { userId: (await mustRefer(store.users, 'user', user)).id }),
  }
}
