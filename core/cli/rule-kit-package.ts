import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join, parse, resolve } from 'node:path'
import { RULE_ABI, RULE_LIMITS, type RuleGrants, RuleManifest } from '@gatehouse/sdk/rule-abi'
import { CommandError, type Io } from './io.js'

/** A module and its manifest, as they lie beside each other: `<stem>.wasm` or `.js`, and `<stem>.rule.json`. */
export interface RulePackage {
  /** As the person wrote it. */
  readonly path: string
  readonly bytes: Buffer
  readonly sha256: string
  /** The manifest as it was written; null: there is none, and what it would say was made up. */
  readonly written: unknown
  readonly manifest: RuleManifest
}

/** What lies beside a module. */
export function besides(module: string): { readonly manifest: string; readonly signature: string } {
  const { dir, name } = parse(module)
  return { manifest: join(dir, `${name}.rule.json`), signature: join(dir, `${name}.rule.sig`) }
}

export async function readPackage(io: Io, path: string): Promise<RulePackage> {
  if (!/\.(wasm|js)$/.test(path)) throw new CommandError(`${path} must end in .wasm or .js.`)
  const bytes = await readBytes(io, path)
  const sha256 = digest(bytes)
  const file = besides(path).manifest
  const text = await readFile(resolve(io.cwd, file), 'utf8').catch(() => null)
  if (text === null) return { path, bytes, sha256, written: null, manifest: madeUp(path, sha256) }
  const written = parseJson(text, file)
  return { path, bytes, sha256, written, manifest: parseManifest(written, file) }
}

export const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

async function readBytes(io: Io, path: string): Promise<Buffer> {
  return readFile(resolve(io.cwd, path)).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`${path} cannot be read (${error.code}).`)
  })
}

export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CommandError(`${file} is not JSON: ${(error as Error).message}`)
  }
}

export function parseManifest(value: unknown, file: string): RuleManifest {
  const parsed = RuleManifest.safeParse(value)
  if (parsed.success) return parsed.data
  const lines = parsed.error.issues.map(({ path, message }) => `  ${path.join('.') || 'all of it'}: ${message}`)
  throw new CommandError(`${file} is not a manifest of ${RULE_ABI}:\n${lines.join('\n')}`)
}

function madeUp(path: string, sha256: string): RuleManifest {
  const language = path.endsWith('.js') ? 'javascript' : 'wasm'
  return RuleManifest.parse({ name: 'rule', version: '0', abi: RULE_ABI, sha256, language })
}

/**
 * What an operator has to allow for it, beyond what every rule may. The commands of an author take it as allowed, and tell it. The size
 * in whole mebibytes: the next build, a few bytes longer, is to fit too.
 */
export function grantsFor({ bytes, manifest }: Pick<RulePackage, 'manifest'> & { bytes: Uint8Array }): RuleGrants {
  const { memoryPages = 0, fuel = 0 } = manifest.limits
  return {
    ...(manifest.wasiStub && { wasiStub: true }),
    ...(memoryPages > RULE_LIMITS.memoryPages && { memoryPages }),
    ...(fuel > RULE_LIMITS.fuel && { fuel }),
    ...(bytes.length > RULE_LIMITS.moduleBytes && { moduleBytes: Math.ceil(bytes.length / MIB) * MIB }),
  }
}
const MIB = 1_048_576
