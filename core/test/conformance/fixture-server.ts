import { McpServer } from '@modelcontextprotocol/server'
import { addAskingTools } from './asking-tools.js'
import { createAsker, states, type AskOn } from './ask.js'
import { addCallingTools, type Announcer } from './calling-tools.js'
import { addContentTools, addSchemaTools } from './content-tools.js'
import { addInputRequiredTools } from './input-required-tools.js'
import { addPrompts } from './prompts.js'
import { addResources } from './resources.js'

export interface FixtureServerOptions {
  readonly era: 'legacy' | 'modern'
  readonly askOn: AskOn
  readonly announcer: Announcer
  readonly subscribed: Set<string>
}

/** Everything that the scenarios of the conformance suite call by name, save what only the tasks extension needs. */
export function createFixtureServer({ era, askOn, announcer, subscribed }: FixtureServerOptions): McpServer {
  const server = new McpServer(
    { name: 'conformance-fixture', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        logging: {},
        completions: {},
      },
      requestState: { verify: states.verify },
    },
  )
  const asker = createAsker(() => server, era === 'legacy' && askOn === 'get')
  addContentTools(server)
  addCallingTools(server, announcer)
  addAskingTools(server, asker)
  addInputRequiredTools(server, asker)
  addSchemaTools(server)
  addPrompts(server, asker)
  addResources(server, subscribed)
  return server
}
