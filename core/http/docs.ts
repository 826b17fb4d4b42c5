import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Middleware } from 'koa'
import type { Library } from '../documentation/library.js'

/**
 * The documentation for people and for AI: `/docs/<page>.md`, `/llms.txt`, and the MCP server at `/docs/mcp`. All of it
 * is public and read only.
 */
export function createDocs(
  library: Library,
  server: { handle(req: IncomingMessage, res: ServerResponse): Promise<void> },
): Middleware {
  return async (ctx, next) => {
    if (ctx.path === '/docs/mcp') {
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
