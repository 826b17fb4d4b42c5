import { ResourceTemplate, type McpServer } from '@modelcontextprotocol/server'
import { PIXEL_PNG } from './media.js'

export const WATCHED = 'test://watched-resource'

/** `subscribed` is what this client has asked to hear of; only a session can ask so. */
export function addResources(server: McpServer, subscribed: Set<string>): void {
  server.registerResource(
    'static-text',
    'test://static-text',
    { description: 'A text that never changes', mimeType: 'text/plain' },
    ({ href: uri }) => ({
      contents: [{ uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }],
    }),
  )
  server.registerResource(
    'static-binary',
    'test://static-binary',
    { description: 'An image that never changes', mimeType: 'image/png' },
    ({ href: uri }) => ({ contents: [{ uri, mimeType: 'image/png', blob: PIXEL_PNG }] }),
  )
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'What is held under an id', mimeType: 'application/json' },
    ({ href: uri }, { id }) => {
      const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` })
      return { contents: [{ uri, mimeType: 'application/json', text }] }
    },
  )
  server.registerResource(
    'watched-resource',
    WATCHED,
    { description: 'A text that can be subscribed to', mimeType: 'text/plain' },
    ({ href: uri }) => ({ contents: [{ uri, mimeType: 'text/plain', text: 'Watched resource content' }] }),
  )
  server.server.setRequestHandler('resources/subscribe', ({ params }) => {
    subscribed.add(params.uri)
    return {}
  })
  server.server.setRequestHandler('resources/unsubscribe', ({ params }) => {
    subscribed.delete(params.uri)
    return {}
  })
}
