import type { Middleware } from 'koa'
import { allowedHeaders } from './cors.js'

const PREFIX = '/.well-known/oauth-protected-resource'

/** Where the metadata of a gateway's URL lies (RFC 9728, section 3.1: the path is inserted after the well-known part). */
export const resourceMetadataUrl = (publicUrl: string, gatewayName: string | null): string =>
  `${publicUrl}${PREFIX}/mcp${gatewayName === null ? '' : `/${encodeURIComponent(gatewayName)}`}`

/**
 * Protected-resource metadata (RFC 9728), at the root and with `/mcp` or `/mcp/<gateway>` appended. It says nothing of
 * which gateways exist: any path of that form is answered. Clients compare `resource` with the URL that they were given, so
 * it has one form, without a slash at its end.
 */
export function createWellKnown(publicUrl: () => string): Middleware {
  return async (ctx, next) => {
    if (!ctx.path.startsWith(PREFIX)) return next()
    const rest = ctx.path.slice(PREFIX.length)
    if (!/^(\/|\/mcp(\/[^/]+)?\/?)?$/.test(rest)) return next()
    const path = rest.replace(/\/$/, '')
    ctx.set('access-control-allow-origin', '*')
    if (ctx.method === 'OPTIONS') {
      // Clients in browsers ask with their protocol version, which has to be allowed first.
      ctx.set('access-control-allow-methods', 'GET, OPTIONS')
      ctx.set('access-control-allow-headers', allowedHeaders(ctx.get('access-control-request-headers')))
      ctx.set('access-control-max-age', '600')
      ctx.status = 204
      return
    }
    ctx.set('cache-control', 'public, max-age=300')
    ctx.body = {
      resource: `${publicUrl()}${path === '' ? '/mcp' : path}`,
      authorization_servers: [publicUrl()],
      bearer_methods_supported: ['header'],
      scopes_supported: ['mcp'],
      resource_name: 'Gatehouse',
    }
  }
}
