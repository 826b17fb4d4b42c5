import { isAlias, isMap, isSeq, isScalar, LineCounter, parseDocument } from 'yaml'
import type { Document, Node } from 'yaml'
import { GatehouseError } from '../errors.js'
import type { ErrorCode } from '../errors.js'
import { problemsOf, writePath } from './problems.js'
import type { Problem } from './problems.js'
import { File } from './schemas.js'

/** A YAML file that was read and fits its schema; references to secrets are not resolved yet. */
export interface ConfigurationFile {
  readonly name: string
  readonly content: File
  /** A refusal of what stands at a place, with the file's name, line and column before the words. */
  fault(problems: readonly Problem[], code?: ErrorCode): GatehouseError
}

/** Throws GH_CONFIG_INVALID with a line `file.yaml:12:5 servers.crm.ulr: unknown key; …` for each thing that is wrong. */
export function readFile(text: string, name: string): ConfigurationFile {
  const { document, value, fault } = readYaml(text, name)
  const parsed = File.safeParse(value)
  if (!parsed.success) throw fault(problemsOf(parsed.error.issues))
  const doubles = doubledUsers(document)
  if (doubles.length > 0) throw fault(doubles)
  return { name, content: parsed.data, fault }
}

/** Reads YAML with places; syntax errors, doubled keys and aliases that grow without bound are refused with theirs. */
export function readYaml(text: string, name: string) {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0)
    throw refusal(
      document.errors.map((error) => `${name}:${place(lines, error.pos[0])} ${error.message.split('\n')[0]}`),
    )
  const fault = (problems: readonly Problem[], code?: ErrorCode): GatehouseError =>
    refusal(
      problems.map(({ path, message }) => {
        const where = place(lines, offsetOf(document, path))
        return `${name}:${where} ${path.length > 0 ? `${writePath(path)}: ` : ''}${message}`
      }),
      code,
    )
  return { document, value: valueOf(document, fault), fault }
}

function valueOf(document: Document, fault: ConfigurationFile['fault']): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {}
  } catch (thrown) {
    if (thrown instanceof ReferenceError) throw fault([{ path: [], message: 'aliases repeat too much' }])
    throw thrown
  }
}

function refusal(lines: readonly string[], code: ErrorCode = 'GH_CONFIG_INVALID'): GatehouseError {
  return new GatehouseError(code, { message: lines.join('\n') })
}

function place(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset)
  return `${line}:${col}`
}

/** Where the last key of a path that is there begins. */
function offsetOf(document: Document, path: Problem['path']): number {
  let node: unknown = document.contents
  let offset = startOf(node) ?? 0
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document)
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => keyOf(key) === String(part).toLowerCase())
      if (!pair) return offset
      offset = startOf(pair.key) ?? offset
      node = pair.value
    } else if (isSeq(node) && typeof part === 'number') {
      node = node.items[part]
      offset = startOf(node) ?? offset
    } else return offset
  }
  return offset
}

const keyOf = (key: unknown): string => String(isScalar(key) ? key.value : key).toLowerCase()
const startOf = (node: unknown): number | undefined => (node as Node | null)?.range?.[0]

/** E-mail addresses ignore case, YAML keys do not. */
function doubledUsers(document: Document): Problem[] {
  const users = document.get('users')
  if (!isMap(users)) return []
  const keys = users.items.map(({ key }) => keyOf(key))
  const doubled = keys.find((key, index) => keys.indexOf(key) !== index)
  return doubled === undefined ? [] : [{ path: ['users', doubled], message: 'this address stands there twice' }]
}
