import type { Middleware } from 'koa'

const PREFIX = '/.well-known/oauth-protected-resource'

/** Where the metadata of a gateway's URL lies (RFC 9728, section 3.1: the path is inserted after the well-known part). */
export const resourceMetadataUrl = (publicUrl: string, gatewayName: string | null): string =>
  `${publicUrl}${PREFIX}/mcp${gatewayName === null ? '' : `/${encodeURIComponent(gatewayName)}`}`

/**
 * Protected-resource metadata (RFC 9728), at the root and with `/mcp` or `/mcp/<gateway>` appended. It says nothing of
 * which gateways exist: any path of that form is answered. Bearer tokens are made by an administrator, so no
 * authorization server is named.
 */
export function createWellKnown(publicUrl: () => string): Middleware {
  return async (ctx, next) => {
    if (!ctx.path.startsWith(PREFIX)) return next()
    const rest = ctx.path.slice(PREFIX.length)
    if (rest !== '' && !/^\/mcp(\/[^/]+)?$/.test(rest)) return next()
    ctx.set('access-control-allow-origin', '*')
    ctx.set('cache-control', 'public, max-age=300')
    ctx.body = {
      resource: `${publicUrl()}${rest === '' ? '/mcp' : rest}`,
      bearer_methods_supported: ['header'],
      scopes_supported: ['mcp'],
      resource_name: 'Gatehouse',
    }
  }
}
