import { acceptedContent, completable, inputRequired, type McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Asker } from './ask.js'
import { PIXEL_PNG } from './media.js'

const said = (text: string) => ({ role: 'user' as const, content: { type: 'text' as const, text } })

export function addPrompts(server: McpServer, asker: Asker): void {
  server.registerPrompt('test_simple_prompt', { description: 'One text, no arguments.' }, () => ({
    messages: [said('This is a simple prompt for testing.')],
  }))
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'Repeats its two arguments.', argsSchema: z.object({ arg1: completed(), arg2: completed() }) },
    ({ arg1, arg2 }) => ({ messages: [said(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
  )
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'Embeds a resource.', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri: uri }) => {
      const resource = { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' }
      return {
        messages: [
          { role: 'user', content: { type: 'resource', resource } },
          said('Please process the embedded resource above.'),
        ],
      }
    },
  )
  server.registerPrompt('test_prompt_with_image', { description: 'Shows an image.' }, () => ({
    messages: [
      { role: 'user', content: { type: 'image', data: PIXEL_PNG, mimeType: 'image/png' } },
      said('Please analyze the image above.'),
    ],
  }))
  addAskingPrompt(server, asker)
}

function addAskingPrompt(server: McpServer, asker: Asker): void {
  const context = z.object({ context: z.string() })
  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'Asks for a context first.' },
    asker.wrap((ctx) => {
      const given = acceptedContent(ctx.mcpReq.inputResponses, 'user_context', context)
      if (given !== undefined) return { messages: [said(`The context is: ${given.context}`)] }
      const question = inputRequired.elicit({ message: 'Which context is this about?', requestedSchema: context })
      return inputRequired({ inputRequests: { user_context: question } })
    }),
  )
}

const VALUES = ['testValue1', 'testValue2', 'test', 'other']
const completed = () => completable(z.string(), (typed) => VALUES.filter((value) => value.startsWith(typed)))
