import { createRequire } from 'node:module'
import type * as Extism from '@extism/extism'

/**
 * Extism's SDK. Loading it loads Node's WASI, which we never use and Node warns of: that one warning is not shown. It is required and
 * not imported, for an import would be loaded before anything here runs.
 */
export const { createPlugin } = withoutWarning(() => createRequire(import.meta.url)('@extism/extism') as typeof Extism)

function withoutWarning<Result>(load: () => Result): Result {
  const { emitWarning } = process
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!/\bWASI\b/.test(String(warning))) Reflect.apply(emitWarning, process, [warning, ...rest])
  }
  try {
    return load()
  } finally {
    process.emitWarning = emitWarning
  }
}
