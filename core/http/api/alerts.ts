import { ALERT_TYPES } from '@gatehouse/sdk'
import { z } from 'zod'
import { invalid, strict } from '../../configuration/problems.js'
import { lookUp } from '../../configuration/work.js'
import type { AlertFilter, AlertState, StandingAlert } from '../../domain/alerts.js'
import type { Stored } from '../../domain/nouns.js'
import type { Repository } from '../../domain/store.js'
import { scrubText } from '../../domain/scrub.js'
import { AlertAnswer, AlertCountsAnswer, AlertRow } from './answers.js'
import { operation } from './operation.js'
import type { ApiCall, ApiOptions, Operation } from './operation.js'
import { mustBeFound, showAlert, showAlertRow } from './alert-views.js'

/** The feed of alerts. Whoever may see it may also say that something was seen, or is over. */

const need = 'seeAllAlerts'
const moment = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))
const listOf = <T extends string>(values: readonly [T, ...T[]]) =>
  z
    .string()
    .max(1_000)
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(values)))
    .describe(`one or several of ${values.join(' ')}, with commas between`)
const filter = {
  state: listOf(['open', 'acknowledged', 'resolved']).optional(),
  severity: listOf(['info', 'warning', 'error']).optional(),
  type: listOf([...ALERT_TYPES]).optional(),
  gateway: z.string().max(100).optional(),
  server: z.string().max(100).optional(),
  rule: z.uuid().optional(),
  user: z.string().max(320).optional(),
  since: moment.optional().describe('of the last repeat'),
  until: moment.optional(),
}
type Filter = z.output<ReturnType<typeof strictFilter>>
const strictFilter = () => z.strictObject(filter)
const PageQuery = z.strictObject({
  ...filter,
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(100).optional(),
})
const FollowQuery = z.strictObject({ ...filter, cursor: z.string().max(100).optional() })
const note = z.string().trim().min(1).max(500).transform(scrubText).optional()
const Note = strict({ note })
const Bulk = strict({
  ids: z.array(z.uuid()).min(1).max(1_000).optional(),
  all: z.literal(true).optional().describe('every open alert'),
  severity: z.array(z.enum(['info', 'warning', 'error'])).optional(),
  type: z.array(z.enum(ALERT_TYPES)).optional(),
  gateway: z.string().max(100).optional(),
  server: z.string().max(100).optional(),
  until: moment.optional().describe('not what has repeated since'),
  note,
})

export function alertOperations(options: ApiOptions): Operation[] {
  const { alerts } = options
  return [
    operation({
      id: 'listAlerts',
      method: 'get',
      path: '/alerts',
      summary: 'Lists alerts, the last repeated first.',
      need,
      query: PageQuery,
      output: z.object({ items: z.array(AlertRow), next: z.string().nullable() }),
      async handle({ query: { limit, cursor, ...rest } }) {
        const before = cursor === undefined ? undefined : readCursor(cursor)
        const rows = await alerts.page({ ...(await asFilter(options, rest)), before, limit: limit + 1 })
        const items = rows.slice(0, limit)
        const last = rows.length > limit ? items.at(-1) : undefined
        return { items: items.map(showAlertRow), next: last === undefined ? null : writeCursor(last) }
      },
    }),
    operation({
      id: 'followAlerts',
      method: 'get',
      path: '/alerts/follow',
      summary: 'What was raised, repeated or changed since a cursor; without a cursor only where the feed ends now.',
      need,
      query: FollowQuery,
      output: z.object({ items: z.array(AlertRow), cursor: z.string() }),
      async handle({ query: { cursor = null, ...rest } }) {
        const page = await alerts.follow(cursor, await asFilter(options, rest))
        return { items: page.items.map(showAlertRow), cursor: page.cursor }
      },
    }),
    operation({
      id: 'countAlerts',
      method: 'get',
      path: '/alerts/counts',
      summary: 'Counts what is open and what is acknowledged, by severity.',
      need,
      output: AlertCountsAnswer,
      handle: () => alerts.counts(),
    }),
    operation({
      id: 'getAlert',
      method: 'get',
      path: '/alerts/{id}',
      summary: 'Shows an alert with its context, its links and the history of its states.',
      need,
      output: AlertAnswer,
      handle: async ({ params }) => showAlert(options, await mustBeFound(options, params['id'] ?? '')),
    }),
    operation({
      id: 'acknowledgeAlerts',
      method: 'post',
      path: '/alerts/acknowledge',
      summary: 'Acknowledges the open alerts that are named or fit, at most 10,000 at once.',
      need,
      input: Bulk,
      output: z.object({ acknowledged: z.int() }),
      async handle({ caller, input: { note: words, all, ids, severity, type, until, ...refs } }) {
        if (Object.values({ ids, all, severity, type, until, ...refs }).every((value) => value === undefined))
          throw invalid('', 'say which: ids, what they have in common, or { "all": true }')
        const references = await asFilter(options, refs)
        const wanted = { ...references, ids, severities: severity, types: type, until }
        return { acknowledged: await alerts.acknowledgeAll(wanted, authorOf(caller), words ?? null) }
      },
    }),
    ...(
      [
        ['acknowledge', 'acknowledged', 'Somebody has seen it: it still counts repeats, and tells nobody of them.'],
        ['resolve', 'resolved', 'It is over: the next time it is a new alert.'],
        ['reopen', 'open', 'It is not over, or nobody minds it any more.'],
      ] as const
    ).map(([verb, state, summary]) => stateOperation(options, { verb, state, summary })),
  ]
}

function stateOperation(
  options: ApiOptions,
  { verb, state, summary }: { readonly verb: string; readonly state: AlertState; readonly summary: string },
): Operation {
  return operation({
    id: `${verb}Alert`,
    method: 'post',
    path: `/alerts/{id}/${verb}`,
    summary,
    need,
    input: Note,
    output: AlertAnswer,
    async handle({ caller, params, input }) {
      const change = { state, by: authorOf(caller), note: input.note ?? null }
      return showAlert(options, await options.alerts.setState(params['id'] ?? '', change))
    },
  })
}

const authorOf = ({ id, email }: ApiCall['caller']) => ({ id, email })

const writeCursor = ({ id, lastAt }: StandingAlert): string => `${Date.parse(lastAt)}.${id}`

function readCursor(text: string): Pick<StandingAlert, 'id' | 'lastAt'> {
  const [, ms, id] = /^(\d{1,14})\.([0-9a-f-]{36})$/.exec(text) ?? []
  if (ms === undefined || !z.uuid().safeParse(id).success)
    throw invalid('cursor', 'is not known; begin anew without it')
  return { id: id ?? '', lastAt: new Date(Number(ms)).toISOString() }
}

/** An id is taken as it is: what an alert was about may be gone. */
async function asFilter({ store }: ApiOptions, query: Filter): Promise<AlertFilter> {
  const idOf = async (field: string, repository: Pick<Repository<Stored>, 'find' | 'byKey'>, given?: string) => {
    if (given === undefined || z.uuid().safeParse(given).success) return given
    const found = await lookUp(repository, given)
    if (found === null) throw invalid(field, `'${given}' does not exist`)
    return found.id
  }
  const { state, severity, type, gateway, server, rule, user, since, until } = query
  return {
    ...{ states: state, severities: severity, types: type, ruleId: rule, since, until },
    gatewayId: await idOf('gateway', store.gateways, gateway),
    serverId: await idOf('server', store.servers, server),
    userId: await idOf('user', store.users, user),
  }
}
