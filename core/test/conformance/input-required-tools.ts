import {
  acceptedContent,
  inputRequired,
  inputResponse,
  type InputRequests,
  type McpServer,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { states, type Asker } from './ask.js'
import { done, sampling, textOf } from './asking-tools.js'

const NAME = z.object({ name: z.string() })
const COLOR = z.object({ color: z.string() })
const OK = z.object({ ok: z.boolean() })

const elicit = (message: string, requestedSchema: typeof NAME | typeof COLOR | typeof OK) =>
  inputRequired.elicit({ message, requestedSchema })

/** The tools of the modern era's `input_required` scenarios, save the ones with a state. */
export function addInputRequiredTools(server: McpServer, asker: Asker): void {
  server.registerTool(
    'test_input_required_result_elicitation',
    { description: 'Asks for a name.' },
    asker.wrap(({ mcpReq }) => {
      const given = acceptedContent(mcpReq.inputResponses, 'user_name', NAME)
      if (given !== undefined) return done(`Hello, ${given.name}!`)
      return inputRequired({ inputRequests: { user_name: elicit('What is your name?', NAME) } })
    }),
  )
  server.registerTool(
    'test_input_required_result_sampling',
    { description: 'Asks the model of the client for a capital.' },
    asker.wrap(({ mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, 'capital_question')
      if (answer.kind === 'sampling') return done(`The model says: ${textOf(answer.result.content)}`)
      const question = sampling('What is the capital of France?', 100)
      return inputRequired({ inputRequests: { capital_question: question } })
    }),
  )
  server.registerTool(
    'test_input_required_result_list_roots',
    { description: 'Asks for the roots of the client.' },
    asker.wrap(({ mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, 'client_roots')
      if (answer.kind === 'roots') return done(`Roots: ${answer.roots.map(({ uri }) => uri).join(', ')}`)
      return inputRequired({ inputRequests: { client_roots: ROOTS } })
    }),
  )
  addCapabilitiesTool(server, asker)
  addStatefulTools(server, asker)
}

const ROOTS = { method: 'roots/list' as const, params: {} }

/** Asks for no more than the client has told that it can. */
function addCapabilitiesTool(server: McpServer, asker: Asker): void {
  server.registerTool(
    'test_input_required_result_capabilities',
    { description: 'Asks what the client can be asked.' },
    asker.wrap(({ mcpReq }) => {
      if (Object.keys(mcpReq.inputResponses ?? {}).length > 0) return done('Answered')
      const can = server.server.getClientCapabilities() ?? {}
      const inputRequests: InputRequests = {
        ...(can.sampling && { capital_question: sampling('What is the capital of France?', 100) }),
        ...(can.elicitation && { user_name: elicit('What is your name?', NAME) }),
      }
      if (Object.keys(inputRequests).length === 0) return done('Nobody to ask')
      return inputRequired({ inputRequests })
    }),
  )
}

function addStatefulTools(server: McpServer, asker: Asker): void {
  for (const name of ['test_input_required_result_request_state', 'test_input_required_result_tampered_state']) {
    server.registerTool(
      name,
      { description: 'Asks for consent and gives a state along.' },
      asker.wrap(async ({ mcpReq }) => {
        const given = acceptedContent(mcpReq.inputResponses, 'confirm', OK)
        if (given !== undefined && mcpReq.requestState<string>() === name) return done(`state-ok, consent: ${given.ok}`)
        const requestState = await states.mint(name)
        return inputRequired({ inputRequests: { confirm: elicit('Please confirm.', OK) }, requestState })
      }),
    )
  }
  addMultipleInputsTool(server, asker)
  addMultiRoundTool(server, asker)
}

function addMultipleInputsTool(server: McpServer, asker: Asker): void {
  server.registerTool(
    'test_input_required_result_multiple_inputs',
    { description: 'Asks three things at once.' },
    asker.wrap(async ({ mcpReq: { inputResponses } }) => {
      const user = acceptedContent(inputResponses, 'user_name', NAME)
      const greeting = inputResponse(inputResponses, 'greeting')
      const roots = inputResponse(inputResponses, 'client_roots')
      if (user !== undefined && greeting.kind === 'sampling' && roots.kind === 'roots') {
        return done(`${textOf(greeting.result.content)} ${user.name} (${roots.roots.length} roots)`)
      }
      const inputRequests = {
        user_name: elicit('What is your name?', NAME),
        greeting: sampling('Write a greeting.', 50),
        client_roots: ROOTS,
      }
      return inputRequired({ inputRequests, requestState: await states.mint('multiple') })
    }),
  )
}

/** What has been answered in the first round travels in the state. */
function addMultiRoundTool(server: McpServer, asker: Asker): void {
  const Known = z.object({ name: z.string().optional() })
  server.registerTool(
    'test_input_required_result_multi_round',
    { description: 'Asks one thing after the other.' },
    asker.wrap(async ({ mcpReq }) => {
      const state = Known.safeParse(mcpReq.requestState())
      const name = state.data?.name ?? acceptedContent(mcpReq.inputResponses, 'step1', NAME)?.name
      if (!state.success || name === undefined) {
        const inputRequests = { step1: elicit('What is your name?', NAME) }
        return inputRequired({ inputRequests, requestState: await states.mint({}) })
      }
      const color = acceptedContent(mcpReq.inputResponses, 'step2', COLOR)?.color
      if (state.data.name !== undefined && color !== undefined) return done(`${name} likes ${color}`)
      const inputRequests = { step2: elicit('Which color do you like?', COLOR) }
      return inputRequired({ inputRequests, requestState: await states.mint({ name }) })
    }),
  )
}
