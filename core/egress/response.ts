import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import type { ZlibOptions } from 'node:zlib'
import type { PluginResponse } from '@gatehouse/sdk'
import type { Dispatcher } from 'undici'
import { GatehouseError } from '../errors.js'

type Headers = Dispatcher.ResponseData['headers']

export interface EgressResponse extends PluginResponse {
  readonly headers: Readonly<Headers>
}

/** Reads a whole answer and decodes it; it ends at the limit on the wire and once more when decoded. */
export async function readResponse(answer: Dispatcher.ResponseData, limit: number): Promise<EgressResponse> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) throw tooLarge(limit)
    chunks.push(chunk)
  }
  const encoding = joined(answer.headers['content-encoding'])
  return respond(answer.statusCode, answer.headers, await decode(Buffer.concat(chunks, size), encoding, limit))
}

function respond(status: number, headers: Headers, body: Buffer): EgressResponse {
  return {
    status,
    headers,
    body,
    header: (name) => joined(headers[name.toLowerCase()]),
    text: () => body.toString('utf8'),
    json: (): unknown => JSON.parse(body.toString('utf8')),
  }
}

const DECODERS = new Map<string, (body: Buffer, options: ZlibOptions) => Promise<Buffer>>([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
])

async function decode(body: Buffer, encoding: string | undefined, limit: number): Promise<Buffer> {
  const name = encoding?.trim().toLowerCase() ?? ''
  if (body.length === 0 || name === '' || name === 'identity') return body
  const decoder = DECODERS.get(name)
  if (!decoder) throw new Error('the answer has an encoding that nobody asked for')
  try {
    return await decoder(body, { maxOutputLength: limit })
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(limit) : error
  }
}

function tooLarge(limit: number): GatehouseError {
  return new GatehouseError('GH_EGRESS_TOO_LARGE', { message: `the answer exceeds ${limit} bytes` })
}

function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}
