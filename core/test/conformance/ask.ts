import {
  createRequestStateCodec,
  type InputRequest,
  type InputRequiredResult,
  isInputRequiredResult,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'

/** The stream on which a server of the legacy era sends its questions: that of the call, or the one of its session. */
export type AskOn = 'post' | 'get'

type Handler<R> = (ctx: ServerContext) => R | InputRequiredResult | Promise<R | InputRequiredResult>

/**
 * Tools ask by answering with the questions, once for both eras: on the modern one the client brings the answers with
 * its next request, on the legacy one they are asked for while the call waits. The package does the latter itself, on
 * the stream of the call; with `get` it is done here, on the stream of the session, as its `elicitInput` does.
 */
export interface Asker {
  wrap<R>(handler: Handler<R>): (ctx: ServerContext) => Promise<R | InputRequiredResult>
  wrapWith<A, R>(
    handler: (args: A, ctx: ServerContext) => R | InputRequiredResult,
  ): (args: A, ctx: ServerContext) => Promise<R | InputRequiredResult>
}

export const states = createRequestStateCodec<unknown>({ key: crypto.getRandomValues(new Uint8Array(32)) })

const ROUNDS = 8

export function createAsker(getServer: () => McpServer, pushes: boolean): Asker {
  const settle = async <R>(handler: Handler<R>, ctx: ServerContext) => {
    let current = ctx
    for (let round = 0; round < ROUNDS; round += 1) {
      const result = await handler(current)
      if (!pushes || !isInputRequiredResult(result)) return result
      current = await answered(getServer(), ctx, result)
    }
    throw new Error(`still asking after ${ROUNDS} rounds`)
  }
  return {
    wrap: (handler) => (ctx) => settle(handler, ctx),
    wrapWith: (handler) => (args, ctx) => settle((current) => handler(args, current), ctx),
  }
}

async function answered(server: McpServer, ctx: ServerContext, result: InputRequiredResult): Promise<ServerContext> {
  const asked = Object.entries(result.inputRequests ?? {}).map(
    async ([key, request]) => [key, await push(server, request)] as const,
  )
  const inputResponses = Object.fromEntries(await Promise.all(asked))
  const state = result.requestState === undefined ? undefined : await states.verify(result.requestState, ctx)
  const requestState = <T>() => state as T
  return { ...ctx, mcpReq: { ...ctx.mcpReq, inputResponses, requestState } }
}

function push({ server }: McpServer, request: InputRequest): Promise<object> {
  switch (request.method) {
    case 'elicitation/create':
      return server.elicitInput(request.params as Parameters<typeof server.elicitInput>[0])
    case 'sampling/createMessage':
      return server.createMessage(request.params)
    case 'roots/list':
      return server.listRoots()
  }
}
