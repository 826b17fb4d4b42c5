/**
 * Where clients look for the authorization server beside its own endpoints. Some guess at the origin, some append the path of
 * the MCP URL to the well-known one, some put the well-known path behind it.
 */
const MIRRORS: Readonly<Record<string, string>> = {
  '/authorize': '/oauth/authorize',
  '/token': '/oauth/token',
  '/register': '/oauth/register',
}
const METADATA = '(oauth-authorization-server|openid-configuration)'
const INSERTED = new RegExp(`^/\\.well-known/${METADATA}(?:/mcp(?:/[^/]+)?)?/?$`)
const APPENDED = new RegExp(`^/mcp(?:/[^/]+)?/\\.well-known/${METADATA}$`)
const OWN = /^\/oauth\/(?:authorize(?:\/[^/]+)?|token|register|revoke|jwks|end(?:\/[^/]+)?)$/

/** The path of the authorization server's own that is meant; null: it is none of its. */
export function meantPath(path: string): string | null {
  if (OWN.test(path)) return path
  const mirrored = MIRRORS[path]
  if (mirrored !== undefined) return mirrored
  const document = (INSERTED.exec(path) ?? APPENDED.exec(path))?.[1]
  return document === undefined ? null : `/.well-known/${document}`
}
