import { z } from 'zod'
import { holds } from '../../domain/capabilities.js'
import { GatehouseError } from '../../errors.js'
import type { LogFilter } from '../../record/query.js'
import { operation } from './operation.js'
import type { ApiOptions, Operation } from './operation.js'

const id = z.uuid()
const moment = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))
const flag = z.enum(['true', 'false']).transform((text) => text === 'true')
const filter = {
  correlationId: id.optional(),
  since: moment.optional(),
  until: moment.optional(),
  gatewayId: id.optional(),
  userId: id.optional(),
  hostId: id.optional(),
  feature: z.string().max(500).optional(),
  method: z.string().max(100).optional(),
  failed: flag.optional(),
}
const PageQuery = z.strictObject({
  ...filter,
  limit: z.coerce.number().int().min(1).max(500).default(50).describe('messages; each comes with all its legs'),
  cursor: z.string().max(100).optional(),
  bodies: flag.optional().describe('needs viewMessageBodies'),
})
const Row = z.looseObject({ log_id: z.string(), correlation_id: z.string(), log_type: z.string() })
const need = 'viewAndExportLogs'

export function logOperations({ logs }: ApiOptions): Operation[] {
  return [
    operation({
      id: 'queryLogs',
      method: 'get',
      path: '/logs',
      summary: 'Reads the record, newest message first.',
      need,
      query: PageQuery,
      output: z.object({ items: z.array(Row), next: z.string().nullable() }),
      async handle({ caller, query: { cursor, bodies = false, limit, ...rest } }) {
        if (bodies && !holds(caller.capabilities, 'viewMessageBodies'))
          throw new GatehouseError('GH_API_FORBIDDEN', { message: "Capability 'viewMessageBodies' is required." })
        const page = { limit, withBodies: bodies, ...(cursor === undefined ? {} : { before: cursor }) }
        const { rows, next } = await logs.logs({ ...asFilter(rest), ...page })
        return { items: rows, next }
      },
    }),
    operation({
      id: 'followLogs',
      method: 'get',
      path: '/logs/follow',
      summary: 'What came in since a cursor, oldest first; without a cursor only where the record ends now.',
      need,
      query: z.strictObject({ ...filter, cursor: z.string().max(100).optional() }),
      output: z.object({ items: z.array(Row), cursor: z.string() }),
      async handle({ query: { cursor = null, ...rest } }) {
        const { rows, cursor: next } = await logs.follow(cursor, asFilter(rest))
        return { items: rows, cursor: next }
      },
    }),
  ]
}

function asFilter(query: Readonly<Record<string, unknown>>): LogFilter {
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as LogFilter
}
