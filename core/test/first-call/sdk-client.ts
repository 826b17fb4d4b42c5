import type { ClientUnderTest } from './walk.js'

/** What the official clients have in common, of whatever generation. */
interface SdkClient {
  listTools(): Promise<{ readonly tools: readonly { readonly name: string }[] }>
  listPrompts(): Promise<{ readonly prompts: readonly { readonly name: string }[] }>
  listResources(): Promise<{ readonly resources: readonly { readonly uri: string }[] }>
  callTool(call: { name: string; arguments: Record<string, string> }): Promise<unknown>
  readResource(params: { uri: string }): Promise<unknown>
  getPrompt(params: { name: string }): Promise<unknown>
  close(): Promise<void>
}

export function asUnderTest(client: SdkClient): ClientUnderTest {
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    prompts: async () => (await client.listPrompts()).prompts.map(({ name }) => name),
    resources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    call: async (name, given) => JSON.stringify(await client.callTool({ name, arguments: given })),
    read: async (uri) => JSON.stringify(await client.readResource({ uri })),
    prompt: async (name) => JSON.stringify(await client.getPrompt({ name })),
    close: () => client.close(),
  }
}
