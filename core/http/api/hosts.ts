import { createHost, hostState, removeHost, updateHost } from '../../configuration/nouns/hosts.js'
import { createConnection, removeConnection, updateConnection } from '../../configuration/nouns/connections.js'
import { strict } from '../../configuration/problems.js'
import { connectionShape, hostShape, slug } from '../../configuration/schemas.js'
import { mustExist } from '../../configuration/work.js'
import { ConnectionAnswer, HostAnswer } from './answers.js'
import { crud } from './crud.js'
import { NEEDS } from './needs.js'
import type { ApiOptions, Operation } from './operation.js'

export function hostOperations({ store, mutations }: ApiOptions): Operation[] {
  return crud({
    name: 'host',
    path: '/hosts',
    see: ['createAndManageApiTokens', 'disableAndEnableHosts'],
    needs: NEEDS.hosts,
    answer: HostAnswer,
    create: strict({ slug, ...hostShape }),
    patch: strict({ title: hostShape.title, owner: hostShape.owner.nullable(), enabled: hostShape.enabled }),
    about: { delete: 'Removes a host with its connections and their tokens.' },
    mutations,
    rows: () => store.hosts.all(),
    one: (_, reference) => mustExist(store.hosts, 'host', reference),
    show: async (host) => ({ ...host, owner: (await hostState({ store }, host)).owner }),
    doCreate: (work, { slug, ...input }) => createHost(work, slug, input),
    doUpdate: updateHost,
    doRemove: removeHost,
  })
}

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
      get: 'Shows a connection.',
      create: 'Connects a token host with a gateway, for a person: yourself unless told.',
      delete: 'Removes a connection with its tokens.',
    },
    mutations,
    rows: () => store.connections.all(),
    one: (_, reference) => mustExist(store.connections, 'connection', reference),
    show: async (one) => ({
      ...one,
      host: (await store.hosts.find(one.hostId))?.slug ?? one.hostId,
      gateway: (await store.gateways.find(one.gatewayId))?.slug ?? one.gatewayId,
      user: one.userId === null ? null : ((await store.users.find(one.userId))?.email ?? one.userId),
    }),
    doCreate: createConnection,
    doUpdate: updateConnection,
    doRemove: removeConnection,
  })
}
