import { setTimeout as wait } from 'node:timers/promises'
import type { McpServer, ServerContext } from '@modelcontextprotocol/server'

/** What a tool can make the whole server tell whoever listens. */
export interface Announcer {
  toolsChanged(): void
  promptsChanged(): void
  watchedChanged(): void
}

const STEP_MS = 50

/** Tools that send something before their result, or instead of it. */
export function addCallingTools(server: McpServer, announcer: Announcer): void {
  server.registerTool('test_tool_with_logging', { description: 'Logs while it runs.' }, async (ctx) => {
    await ctx.mcpReq.log('info', 'Tool execution started')
    await wait(STEP_MS)
    await ctx.mcpReq.log('info', 'Tool processing data')
    await wait(STEP_MS)
    await ctx.mcpReq.log('info', 'Tool execution completed')
    return done('Tool with logging executed successfully')
  })
  server.registerTool('test_logging_tool', { description: 'Logs once.' }, async (ctx) => {
    await ctx.mcpReq.log('info', 'Only for whoever asked for it')
    return done('Logged')
  })
  server.registerTool('test_tool_with_progress', { description: 'Tells its progress.' }, async (ctx) => {
    await progress(ctx, 0)
    await wait(STEP_MS)
    await progress(ctx, 50)
    await wait(STEP_MS)
    await progress(ctx, 100)
    return done('Tool with progress executed successfully')
  })
  server.registerTool('test_reconnection', { description: 'Ends its stream before its result.' }, async (ctx) => {
    ctx.http?.closeSSE?.()
    await wait(2 * STEP_MS)
    return done('Reconnected')
  })
  addChangingTools(server, announcer)
}

function addChangingTools(server: McpServer, announcer: Announcer): void {
  server.registerTool('test_trigger_tool_change', { description: 'Tells that the tools have changed.' }, () => {
    announcer.toolsChanged()
    return done('Told that the tools have changed')
  })
  server.registerTool('test_trigger_prompt_change', { description: 'Tells that the prompts have changed.' }, () => {
    announcer.promptsChanged()
    return done('Told that the prompts have changed')
  })
  server.registerTool('test_trigger_resource_update', { description: 'Tells that a resource has changed.' }, () => {
    announcer.watchedChanged()
    return done('Told that the watched resource has changed')
  })
}

const done = (text: string) => ({ content: [{ type: 'text' as const, text }] })

async function progress(ctx: ServerContext, value: number): Promise<void> {
  const token = ctx.mcpReq._meta?.progressToken
  if (token === undefined) return
  const params = { progressToken: token, progress: value, total: 100, message: `Completed step ${value} of 100` }
  await ctx.mcpReq.notify({ method: 'notifications/progress', params })
}
