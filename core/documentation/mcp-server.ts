import type { IncomingMessage, ServerResponse } from 'node:http'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { Library } from './library.js'

/** The built-in documentation server: both eras, no authentication, two tools that only read. */
export function createDocsServer(library: Library, version: string) {
  const handler = createMcpHandler(() => serverOver(library, version))
  const node = toNodeHandler(handler)
  return {
    handle: (req: IncomingMessage, res: ServerResponse): Promise<void> => node(req as Parameters<typeof node>[0], res),
    stop: (): Promise<void> => handler.close(),
  }
}

const READ_ONLY = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false }

function serverOver(library: Library, version: string): McpServer {
  const server = new McpServer({ name: 'gatehouse-docs', title: 'Gatehouse documentation', version })
  server.registerTool(
    'search_docs',
    {
      title: 'Search the documentation',
      description: 'Finds sections of the Gatehouse documentation. Read a whole page with read_page.',
      inputSchema: z.object({
        query: z.string().min(1).max(200).describe('What to look for, a few words'),
        limit: z.number().int().min(1).max(20).default(5).describe('How many sections at most'),
      }),
      annotations: READ_ONLY,
    },
    async ({ query, limit }) => {
      const hits = library.search(query, limit)
      const text = hits.length === 0 ? nothingFound(library, query) : hits.map(shown).join('\n\n')
      return { content: [{ type: 'text', text }] }
    },
  )
  server.registerTool(
    'read_page',
    {
      title: 'Read a page of the documentation',
      description: 'Gives one page of the Gatehouse documentation as Markdown.',
      inputSchema: z.object({
        path: z.string().min(1).max(200).describe('As search_docs names it, e.g. configuration.md'),
      }),
      annotations: READ_ONLY,
    },
    async ({ path }) => {
      const page = library.page(path)
      if (page !== null) return { content: [{ type: 'text', text: page.text }] }
      return { content: [{ type: 'text', text: `There is no page '${path}'. ${pageList(library)}` }], isError: true }
    },
  )
  return server
}

const shown = (hit: { path: string; title: string; section: string; excerpt: string }) =>
  `## ${hit.title} – ${hit.section}\npath: ${hit.path}\n\n${hit.excerpt}`
const pageList = (library: Library) => `Pages: ${library.pages.map((page) => page.path).join(', ')}`
const nothingFound = (library: Library, query: string) => `Nothing fits '${query}'. ${pageList(library)}`
