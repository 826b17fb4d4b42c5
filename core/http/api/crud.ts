import type { z } from 'zod'
import type { Mutations } from '../../configuration/mutations.js'
import type { Slice } from '../../domain/store.js'
import type { Work } from '../../configuration/work.js'
import { fieldsFor } from './needs.js'
import type { NEEDS } from './needs.js'
import { operation } from './operation.js'
import type { ApiCall, Need, Operation } from './operation.js'
import { pageOf, pageOfSlice, PageQuery, pageThrough } from './pages.js'

interface Noun<N extends { readonly id: string }, Create extends z.ZodType, Patch extends z.ZodType> {
  /** `server`; the plural and the operations' ids are made from it. */
  readonly name: string
  readonly plural?: string
  readonly path: string
  readonly see: Need
  readonly needs: (typeof NEEDS)[keyof typeof NEEDS]
  readonly answer: z.ZodType
  /** What a list shows of each; the whole answer unless told. */
  readonly row?: z.ZodType
  readonly create: Create | null
  readonly patch: Patch | null
  readonly about: Readonly<Partial<Record<'list' | 'get' | 'create' | 'update' | 'delete', string>>>
  readonly mutations: Mutations
  /** What this caller may see, oldest first. */
  rows?(call: ApiCall): Promise<readonly N[]>
  /** The same part by part, for a noun of which there may be thousands: in the place of `rows`. */
  readonly paged?: Pages
  /** By id or name; throws GH_API_NOT_FOUND, also for what this caller may not see. */
  one(call: ApiCall, reference: string): Promise<N>
  show(row: N): Promise<unknown>
  doCreate?(work: Work, input: z.output<Create>, call: ApiCall): Promise<N>
  doUpdate?(work: Work, id: string, input: z.output<Patch>): Promise<N>
  doRemove(work: Work, id: string): Promise<unknown>
}

interface Pages {
  /** With what narrows the list. */
  readonly query: z.ZodType<z.output<typeof PageQuery>>
  /** Rows as the list shows them. */
  page(call: ApiCall, slice: Slice): Promise<readonly { readonly id: string }[]>
}

/** The operations that every noun has: list, get, create, update, delete. */
export function crud<N extends { readonly id: string }, C extends z.ZodType, P extends z.ZodType>(
  noun: Noun<N, C, P>,
): Operation[] {
  const { name, plural = `${name}s`, path, see, needs, answer, about, mutations, paged } = noun
  const Name = (name[0] ?? '').toUpperCase() + name.slice(1)
  const one = (call: ApiCall) => noun.one(call, call.params['id'] ?? '')
  const operations: Operation[] = [
    operation({
      id: `list${(plural[0] ?? '').toUpperCase()}${plural.slice(1)}`,
      method: 'get',
      path,
      summary: about.list ?? `Lists the ${plural}.`,
      need: see,
      query: paged?.query ?? PageQuery,
      output: pageOf(noun.row ?? answer),
      handle: async (call) =>
        paged === undefined
          ? pageThrough((await noun.rows?.(call as ApiCall)) ?? [], call.query, noun.show)
          : pageOfSlice((slice) => paged.page(call as ApiCall, slice), call.query),
    }),
    operation({
      id: `get${Name}`,
      method: 'get',
      path: `${path}/{id}`,
      summary: about.get ?? `Shows one, by id or name.`,
      need: see,
      output: answer,
      handle: async (call) => noun.show(await one(call as ApiCall)),
    }),
  ]
  const { doCreate, doUpdate } = noun
  if (noun.create && doCreate)
    operations.push(
      operation({
        id: `create${Name}`,
        method: 'post',
        path,
        summary: about.create ?? `Makes a ${name}.`,
        need: needs.create,
        fields: fieldsFor(needs.fields, 'create'),
        input: noun.create,
        output: answer,
        handle: async (call) =>
          noun.show(await mutations.change(call.actor, (work) => doCreate(work, call.input, call as ApiCall))),
      }),
    )
  if (noun.patch && doUpdate)
    operations.push(
      operation({
        id: `update${Name}`,
        method: 'patch',
        path: `${path}/{id}`,
        summary: about.update ?? `Changes what is named and leaves the rest.`,
        need: needs.update,
        fields: needs.fields,
        input: noun.patch,
        output: answer,
        handle: async (call) => {
          const { id } = await one(call as ApiCall)
          return noun.show(await mutations.change(call.actor, (work) => doUpdate(work, id, call.input)))
        },
      }),
    )
  operations.push(
    operation({
      id: `delete${Name}`,
      method: 'delete',
      path: `${path}/{id}`,
      summary: about.delete ?? `Removes a ${name}.`,
      need: needs.remove,
      handle: async (call) => {
        const { id } = await one(call as ApiCall)
        await mutations.change(call.actor, (work) => noun.doRemove(work, id))
      },
    }),
  )
  return operations
}
