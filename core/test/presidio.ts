import { pathToFileURL, fileURLToPath } from 'node:url'

/** The real Presidio analyzer with a small English model, on loopback. */
export interface Presidio {
  readonly url: string
  stop(): Promise<void>
}

interface Module {
  ensurePresidio(): { readonly python: string } | { readonly missing: string }
  startPresidio(python: string): Promise<Presidio>
}

/**
 * How to start it; a reason where Python or its packages cannot be had. The runner installs it before a run that needs it: a
 * file run by hand may have to wait for that.
 */
export async function findPresidio(): Promise<{ start(): Promise<Presidio> } | { readonly missing: string }> {
  const path = fileURLToPath(new URL('../../../scripts/presidio.mjs', import.meta.url))
  const { ensurePresidio, startPresidio } = (await import(pathToFileURL(path).href)) as Module
  const found = ensurePresidio()
  return 'python' in found ? { start: () => startPresidio(found.python) } : found
}
