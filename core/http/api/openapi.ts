import { z } from 'zod'
import { ERRORS } from '../../errors.js'
import type { Operation } from './operation.js'

/** The admin API as OpenAPI 3.1, made from the operations. */
export function describeApi(operations: readonly Operation[], facts: { readonly version: string }) {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of operations) (paths[operation.path] ??= {})[operation.method] = describe(operation)
  return {
    openapi: '3.1.0',
    info: { title: 'Gatehouse admin API', version: facts.version },
    servers: [{ url: '/api/v1' }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'A gpat_ token.' } },
      schemas: { Error: ERROR },
    },
  }
}

function describe({ id, summary, need, also, fields, input, output, path, query, method }: Operation) {
  const body = input && { required: true, content: json(input, 'input') }
  const parameters = [...pathParameters(path), ...(query ? queryParameters(query) : [])]
  return {
    operationId: id,
    summary,
    ...(need === null ? {} : { 'x-capability': need }),
    ...(also.length === 0 ? {} : { 'x-capabilities-also': also }),
    ...(Object.keys(fields).length === 0 ? {} : { 'x-field-capabilities': fields }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body ? { requestBody: body } : {}),
    responses: {
      ...(output
        ? { [statusOf(method, id)]: { description: 'Done.', content: json(output, 'output') } }
        : { 204: { description: 'Done.' } }),
      default: {
        description: 'Refused or failed.',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  }
}

/** 201 for what makes a thing, 202 for what has only begun. */
export function statusOf(method: Operation['method'], id: string): 200 | 201 | 202 {
  if (method === 'post' && id.startsWith('start')) return 202
  return method === 'post' && id.startsWith('create') ? 201 : 200
}

function json(schema: z.ZodType, io: 'input' | 'output') {
  return { 'application/json': { schema: asJsonSchema(schema, io) } }
}

export function asJsonSchema(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

const pathParameters = (path: string) =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))

function queryParameters(query: z.ZodType) {
  const { properties = {} } = asJsonSchema(query, 'input') as { properties?: Record<string, unknown> }
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: false, schema }))
}

const ERROR = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'string', enum: Object.keys(ERRORS) },
        message: { type: 'string' },
        field: { type: 'string', description: 'what of the request is not valid' },
      },
    },
  },
}
