import { createServer, removeServer, updateServer } from '../../configuration/nouns/servers.js'
import { strict } from '../../configuration/problems.js'
import { serverShape, slug } from '../../configuration/schemas.js'
import { mustExist } from '../../configuration/work.js'
import { DetectionAnswer, ServerAnswer } from './answers.js'
import { crud } from './crud.js'
import { NEEDS } from './needs.js'
import { operation } from './operation.js'
import type { ApiOptions, Operation } from './operation.js'

export function serverOperations({ store, mutations, detect }: ApiOptions): Operation[] {
  const operations = crud({
    name: 'server',
    path: '/servers',
    see: ['viewAllServers', 'basicServerManagement'],
    needs: NEEDS.servers,
    answer: ServerAnswer,
    create: strict({ slug, ...serverShape }),
    patch: strict({ ...serverShape, cwd: serverShape.cwd.nullable() }),
    about: {
      create: 'Adds a server. Nobody reaches it before it is on a gateway.',
      update: 'Changes a server. Headers and variables are replaced whole.',
      delete: 'Removes a server that no gateway and no identity uses.',
    },
    mutations,
    rows: () => store.servers.all(),
    one: (_, reference) => mustExist(store.servers, 'server', reference),
    show: async (server) => server,
    doCreate: (work, { slug, ...input }) => createServer(work, slug, input),
    doUpdate: updateServer,
    doRemove: removeServer,
  })
  return [
    operation({
      id: 'detectServer',
      method: 'post',
      path: '/servers/detect',
      summary: 'Calls a URL without a credential and says how a server there is to be added. Keeps nothing.',
      need: 'basicServerManagement',
      input: strict({ url: serverShape.url.unwrap() }),
      output: DetectionAnswer,
      handle: ({ input }) => detect(input.url),
    }),
    ...operations,
  ]
}
