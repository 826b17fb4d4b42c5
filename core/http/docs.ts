import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Middleware } from 'koa'
import type { Library } from '../documentation/library.js'
import { GatehouseError } from '../errors.js'
import type { OwnNames } from './origin.js'

/**
 * The documentation for people and for AI: `/docs/<page>.md`, `/llms.txt`, and the MCP server at `/docs/mcp`. Open to
 * everyone, but not to foreign web pages.
 */
export function createDocs(
  library: Library,
  server: { handle(req: IncomingMessage, res: ServerResponse): Promise<void> },
  names: OwnNames,
): Middleware {
  return async (ctx, next) => {
    if (ctx.path === '/docs/mcp') {
      if (!names.hostIsOurs(ctx.headers.host) || !names.originIsOurs(ctx.headers.origin))
        throw new GatehouseError('GH_DOOR_ORIGIN')
      ctx.respond = false
      return server.handle(ctx.req, ctx.res)
    }
    if (ctx.path === '/llms.txt' || ctx.path === '/docs') {
      ctx.type = 'text/markdown'
      ctx.body = index(library)
      return
    }
    const page = ctx.path.startsWith('/docs/') ? library.page(ctx.path.slice('/docs/'.length)) : null
    if (page === null) return next()
    ctx.type = 'text/markdown'
    ctx.body = page.text
  }
}

const index = (library: Library) =>
  `# Gatehouse\n\n> The open, self-hosted gateway that governs MCP.\n\n## Docs\n\n${library.pages
    .map((page) => `- [${page.title}](/docs/${page.path})`)
    .join('\n')}\n`
