import type { HookName } from '@gatehouse/sdk'

/**
 * For the two hooks that every call asks: whether an answer surely fits its schema, told without running it. What is not
 * told here is parsed; a test holds that nothing passes here that the schema refuses.
 */
export const QUICK: Partial<Record<HookName, (answer: unknown) => boolean>> = {
  'auth.identify': (answer) => {
    const { kind, hash } = (answer ?? {}) as { kind?: unknown; hash?: unknown }
    return kind === 'notMine' || (kind === 'token' && typeof hash === 'string' && HASH.test(hash))
  },
  'engine.evaluate': (answer) => {
    const { verdict, findings } = (answer ?? {}) as { verdict?: unknown; findings?: unknown }
    return verdict === 'findings' && Array.isArray(findings) && findings.length === 0
  },
}

const HASH = /^[0-9a-f]{64}$/
