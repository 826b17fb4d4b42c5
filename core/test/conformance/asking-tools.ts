import { acceptedContent, inputRequired, inputResponse, type McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Asker } from './ask.js'
import { CHOICES, DEFAULTS } from './forms.js'

export const done = (text: string) => ({ content: [{ type: 'text' as const, text }] })

export const sampling = (text: string, maxTokens: number) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens })

/** Tools that ask one thing. */
export function addAskingTools(server: McpServer, asker: Asker): void {
  server.registerTool(
    'test_sampling',
    { description: 'Asks the model of the client.', inputSchema: z.object({ prompt: z.string() }) },
    asker.wrapWith(({ prompt }: { prompt: string }, { mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, 'completion')
      if (answer.kind === 'sampling') return done(`LLM response: ${textOf(answer.result.content)}`)
      return inputRequired({ inputRequests: { completion: sampling(prompt, 100) } })
    }),
  )
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the user who they are.', inputSchema: z.object({ message: z.string() }) },
    asker.wrapWith(({ message }: { message: string }, { mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, 'user')
      if (answer.kind === 'elicit') return done(`User response: ${shown(answer)}`)
      const question = inputRequired.elicit({ message, requestedSchema: USER })
      return inputRequired({ inputRequests: { user: question } })
    }),
  )
  addFormTool(server, asker, { name: 'test_elicitation_sep1034_defaults', form: DEFAULTS })
  addFormTool(server, asker, { name: 'test_elicitation_sep1330_enums', form: CHOICES })
  addCapabilityTools(server, asker)
}

function addFormTool(server: McpServer, asker: Asker, { name, form }: { name: string; form: typeof CHOICES }): void {
  server.registerTool(
    name,
    { description: 'Asks the user to fill in a form.' },
    asker.wrap(({ mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, 'form')
      if (answer.kind === 'elicit') return done(`Elicitation completed: ${shown(answer)}`)
      const question = inputRequired.elicit({ message: 'Please fill in this form.', requestedSchema: form })
      return inputRequired({ inputRequests: { form: question } })
    }),
  )
}

/** One that most clients can answer and one that asks for what the client may not have told that it can. */
function addCapabilityTools(server: McpServer, asker: Asker): void {
  server.registerTool(
    'test_missing_capability',
    { description: 'Cannot do without the model of the client.' },
    asker.wrap(({ mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, 'completion')
      if (answer.kind === 'sampling') return done(textOf(answer.result.content))
      return inputRequired({ inputRequests: { completion: sampling('Say hello.', 50) } })
    }),
  )
  const name = z.object({ name: z.string() })
  server.registerTool(
    'test_streaming_elicitation',
    { description: 'Asks the user for their name.' },
    asker.wrap(({ mcpReq }) => {
      const given = acceptedContent(mcpReq.inputResponses, 'user_name', name)
      if (given !== undefined) return done(`Hello, ${given.name}!`)
      const question = inputRequired.elicit({ message: 'What is your name?', requestedSchema: name })
      return inputRequired({ inputRequests: { user_name: question } })
    }),
  )
}

const USER = {
  type: 'object' as const,
  properties: {
    username: { type: 'string' as const, description: 'Name of the user' },
    email: { type: 'string' as const, description: 'Address of the user' },
  },
  required: ['username', 'email'],
}

const shown = ({ action, content }: { action: string; content?: Record<string, unknown> }) =>
  `action=${action}, content=${JSON.stringify(content ?? {})}`

/** The text of a sampled message, which holds one item of content or several. */
export function textOf(content: unknown): string {
  const items = Array.isArray(content) ? content : [content]
  return items.map((item: { text?: string }) => item.text ?? '').join('')
}
