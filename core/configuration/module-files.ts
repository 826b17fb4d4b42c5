import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { JsonObject } from '@gatehouse/sdk'
import { isModulePath, MOST_MODULE } from '../domain/artifacts.js'
import { DEEPEST_MANIFEST, nestsWithin, type Upload } from './nouns/artifact-uploads.js'
import { problemsOf, writePath } from './problems.js'
import { Signature } from './schemas.js'
import type { File } from './schemas.js'

/** The bytes of a file that stands beside the YAML file; null when there is none. Throws words for whoever wrote that file. */
export type ModuleSource = (path: string) => Promise<Uint8Array | null>

/** A module with its manifest `<stem>.rule.json` and, if there is one, its signature `<stem>.rule.sig`. Throws what is wrong, in words. */
export async function readModule(path: string, source: ModuleSource): Promise<Upload> {
  const stem = path.replace(/\.[^.]+$/, '')
  const module = await source(path)
  if (module === null) throw new Error(`${path} is not there: paths start from this file`)
  const manifest = await source(`${stem}.rule.json`)
  if (manifest === null) throw new Error(`${stem}.rule.json is not there: a module needs its manifest beside it`)
  const signature = await source(`${stem}.rule.sig`)
  return {
    module,
    manifest: readManifest(`${stem}.rule.json`, manifest),
    ...(signature === null ? {} : { signature: readSignature(`${stem}.rule.sig`, signature) }),
  }
}

function readManifest(path: string, bytes: Uint8Array): JsonObject {
  const value = readJson(path, bytes)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${path} is no JSON object`)
  if (!nestsWithin(value, DEEPEST_MANIFEST)) throw new Error(`${path} is nested deeper than ${DEEPEST_MANIFEST}`)
  return value as JsonObject
}

function readSignature(path: string, bytes: Uint8Array): Signature {
  const parsed = Signature.safeParse(readJson(path, bytes))
  if (parsed.success) return parsed.data
  const [first] = problemsOf(parsed.error.issues)
  throw new Error(`${path}: ${writePath(first?.path ?? [])} ${first?.message ?? 'is not valid'}`)
}

function readJson(path: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    throw new Error(`${path} is not JSON`)
  }
}

/** Files of this machine, from the folder of the YAML file on. */
export function modulesIn(folder: string): ModuleSource {
  return async (path) => {
    try {
      const full = resolve(folder, path)
      const found = await stat(full)
      // A pipe would be waited for without end.
      if (!found.isFile()) throw new Error(`${path} is no file`)
      const { size } = found
      if (size > MOST_MODULE) throw new Error(`${path} has ${size} bytes; at most ${MOST_MODULE} are taken`)
      return await readFile(full)
    } catch (thrown) {
      const { code, message } = thrown as NodeJS.ErrnoException
      if (code === 'ENOENT') return null
      throw new Error(code === undefined ? message : `${path} cannot be read (${code})`, { cause: thrown })
    }
  }
}

/** Files that were sent along, by their paths, in base64. */
export function modulesSent(sent: Readonly<Record<string, Uint8Array>>): ModuleSource {
  return async (path) => (Object.hasOwn(sent, path) ? (sent[path] ?? null) : null)
}

/** All that a file names and might name, to be sent to a gateway elsewhere: which of it is a module, that one knows. */
export async function collectModules(content: File, source: ModuleSource): Promise<Record<string, string>> {
  const named = Object.values(content.artifacts ?? {}).flatMap(({ file }) => file ?? [])
  const rules = Object.values(content.gateways ?? {}).flatMap((gateway) => gateway.rules ?? [])
  const said = rules.flatMap((rule) => Object.values(rule).filter((value) => typeof value === 'string'))
  const collected: Record<string, string> = {}
  for (const path of new Set([...named, ...said.filter(isModulePath)])) {
    const stem = path.replace(/\.[^.]+$/, '')
    for (const file of [path, `${stem}.rule.json`, `${stem}.rule.sig`]) {
      const bytes = await source(file)
      if (bytes !== null) collected[file] = Buffer.from(bytes).toString('base64')
    }
  }
  return collected
}
