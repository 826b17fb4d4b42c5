import type { Middleware } from 'koa'

/** What readiness depends on. Each answers null when it is well, else one sentence. */
export interface Health {
  readonly draining: () => boolean
  readonly checks: Readonly<Record<string, () => Promise<string | null>>>
}

/** `/healthz`: the process runs. `/readyz`: it can serve; 503 names what is wrong. */
export function createHealth(health: Health): Middleware {
  return async (ctx, next) => {
    if (ctx.path === '/healthz') {
      ctx.body = { status: 'ok' }
    } else if (ctx.path === '/readyz') {
      const entries = await Promise.all(
        Object.entries(health.checks).map(async ([name, check]) => [name, (await check()) ?? 'ok'] as const),
      )
      const well = !health.draining() && entries.every(([, state]) => state === 'ok')
      ctx.status = well ? 200 : 503
      ctx.body = {
        status: health.draining() ? 'draining' : well ? 'ok' : 'failing',
        checks: Object.fromEntries(entries),
      }
    } else return next()
    ctx.set('cache-control', 'no-store')
  }
}
