import { posix } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'
import { dialsOf, namesOf, oneWayOut } from './dialling-law.js'

/** What one source file says to the laws. Paths are relative to the repository, with forward slashes. */
export interface FileFacts {
  readonly path: string
  readonly imports: readonly string[]
  readonly dynamicImports: number
  readonly processMembers: readonly string[]
  /** What it takes of modules that can dial, save types: `node:net connect`; and `fetch` when it calls the global one. */
  readonly dials: readonly string[]
  readonly strings: readonly string[]
}

type Law = (file: FileFacts) => readonly string[]

const base = ['domain', 'contracts', 'call']
const belowRooms = [
  'rules',
  'hooks',
  'mcp',
  'bridge',
  'listening',
  'upstream',
  'oauth',
  'identity',
  'vault',
  'record',
  'egress',
  'cluster',
  'backtest',
]
const all = '*'

/**
 * Who may import whom inside core, by top folder; what is not written here is refused. `contracts` are `config.ts`
 * and `errors.ts`; `call.ts` holds the types of a call's way, and so names those of the places that it passes. A folder may always import itself, save `rooms`.
 */
export const mayImport: Readonly<Record<string, readonly string[] | typeof all>> = {
  domain: [],
  contracts: ['domain'],
  call: ['domain', 'contracts', 'record', 'upstream', 'mcp', 'rules'],
  vault: base,
  egress: base,
  mcp: base,
  hooks: base,
  db: base,
  'db/repositories': ['db', ...base],
  cluster: ['db/repositories', ...base],
  record: ['db/repositories', 'cluster', ...base],
  rules: ['hooks', 'mcp', ...base],
  backtest: ['rules', 'mcp', 'record', 'db/repositories', ...base],
  poisoning: ['domain'],
  bridge: ['upstream', 'mcp', 'vault', ...base],
  listening: ['upstream', 'mcp', ...base],
  upstream: ['hooks', 'egress', 'mcp', 'vault', 'poisoning', ...base],
  identity: ['db/repositories', 'vault', 'cluster', 'hooks', ...base],
  oauth: ['db/repositories', 'identity', 'vault', 'egress', 'cluster', ...base],
  host: ['db/repositories', 'hooks', 'egress', 'vault', ...base],
  configuration: ['db/repositories', 'identity', 'vault', 'cluster', 'rules', 'mcp', 'egress', ...base],
  documentation: ['mcp', ...base],
  rooms: [...belowRooms, 'db/repositories', ...base],
  pipeline: ['rooms', ...belowRooms, ...base],
  http: ['pipeline', 'configuration', 'documentation', 'host', ...belowRooms, 'db/repositories', ...base],
  cli: ['configuration', ...base],
  composition: all,
  compose: all,
  main: all,
  'backtest-main': all,
}

const mainOnly = ['env', 'argv', 'exit', 'exitCode', 'on', 'once', 'addListener', 'addEventListener', 'abort']
const touchesProcess = ['core/main.ts', 'core/backtest-main.ts', 'core/cli/main.ts']
const importsByName = ['core/host/load.ts', 'core/main.ts']
const contractPackages = ['zod', 'node:crypto', 'node:net', 'node:os', 'node:util', 'node:worker_threads']
/** What Linux tells of a thread stands in files. */
const readsTheSystem = 'sdk/thread-time.ts'
const domainPackages = ['@gatehouse/sdk', 'zod', 'node:crypto']

export function readFacts(path: string, source: string): FileFacts {
  const { program, module, errors } = parseSync(path, source)
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`)
  const imports = new Set<string>()
  const processMembers = new Set<string>()
  const strings = new Set<string>()
  const dials = new Set<string>()
  for (const { moduleRequest, entries } of module.staticImports) {
    imports.add(moduleRequest.value)
    for (const dial of dialsOf(moduleRequest.value, entries)) dials.add(dial)
    if (!/^(node:)?process$/.test(moduleRequest.value)) continue
    for (const { importName } of entries) processMembers.add(importName.name ?? 'env')
  }
  for (const { entries } of module.staticExports) {
    for (const { moduleRequest } of entries) if (moduleRequest) imports.add(moduleRequest.value)
  }
  const own = new Set<string>()
  let callsFetch = false
  const required = (from: string) => {
    imports.add(from)
    for (const dial of dialsOf(from, [{ isType: false, importName: {} }])) dials.add(dial)
  }
  new Visitor({
    ...namesOf(own),
    CallExpression: ({ callee, arguments: [first] }) => {
      if (callee.type !== 'Identifier') return
      if (callee.name === 'fetch') callsFetch = true
      if (callee.name === 'require' && first?.type === 'Literal') required(String(first.value))
    },
    TSExternalModuleReference: ({ expression }) => required(expression.value),
    TSImportType: ({ source: from }) => void imports.add(from.value),
    ImportExpression: ({ source: from }) => {
      if (from.type === 'Literal' && typeof from.value === 'string') imports.add(from.value)
    },
    MemberExpression: ({ object, property, computed }) => {
      if (object.type === 'Identifier' && object.name === 'globalThis') {
        if (computed || (property.type === 'Identifier' && property.name === 'fetch')) dials.add('globalThis.fetch')
      }
      if (!isProcess(object)) return
      if (property.type === 'Identifier' && !computed) processMembers.add(property.name)
      else if (property.type === 'Literal') processMembers.add(String(property.value))
      else processMembers.add('env')
    },
    VariableDeclarator: ({ init, id }) => {
      if (id.type === 'Identifier') own.add(id.name)
      if (!isProcess(init) || id.type !== 'ObjectPattern') return
      for (const entry of id.properties) {
        processMembers.add(entry.type === 'Property' && entry.key.type === 'Identifier' ? entry.key.name : 'env')
      }
    },
    Literal: ({ value }) => typeof value === 'string' && void strings.add(value),
    TemplateElement: ({ value }) => void strings.add(value.raw),
  }).visit(program)
  if (callsFetch && !own.has('fetch')) dials.add('fetch')
  return {
    path,
    dials: [...dials],
    imports: [...imports],
    dynamicImports: module.dynamicImports.length,
    processMembers: [...processMembers],
    strings: [...strings],
  }
}

/** Every breach of every law, one line each; nothing when the drawing holds. */
export function findBreaches(files: readonly FileFacts[]): readonly string[] {
  const running = files.filter(({ path }) => !isTest(path))
  return [
    ...running.flatMap((file) => laws.flatMap((law) => law(file).map((words) => `${file.path} ${words}`))),
    ...findCycles(files),
  ]
}

const edgesOfCore: Law = ({ path, imports }) => {
  if (!path.startsWith('core/')) return []
  const from = placeOf(path)
  const allowed = mayImport[from]
  if (allowed === undefined) return [`is in no place of the drawing (${from})`]
  return targetsOf(path, imports).flatMap((target) => {
    if (!target.startsWith('core/')) return []
    const to = placeOf(target)
    if (to === from) return from === 'rooms' ? [`is a room and imports another: ${target}`] : []
    // The two halves of db are one folder to those within it.
    if (from === 'db' && to === 'db/repositories') return []
    return allowed === all || allowed.includes(to) ? [] : [`may not import ${target}`]
  })
}

const entitiesStay: Law = ({ path, imports }) => {
  if (path.startsWith('core/db/')) return []
  const taken = targetsOf(path, imports).filter((target) => target.startsWith('core/db/entities/'))
  return taken.map((target) => `takes an entity out of core/db: ${target}`)
}

const noTestsInside: Law = ({ path, imports }) =>
  targetsOf(path, imports)
    .filter(isTest)
    .map((target) => `runs in production and imports ${target}`)

const wallsBetweenWorkspaces: Law = ({ path, imports }) => {
  const own = workspaceOf(path)
  return imports.flatMap((name) => {
    if (name.startsWith('.')) {
      const target = posix.join(posix.dirname(path), name)
      return workspaceOf(target) === own ? [] : [`leaves its workspace: ${name}`]
    }
    if (!name.startsWith('@gatehouse/')) return []
    if (mayImportRules(path, name)) return []
    return /^@gatehouse\/sdk(\/|$)/.test(name) && own !== 'sdk' ? [] : [`may not import ${name}`]
  })
}

/** What runs rules is asked by the engine that serves them and by the command that tries them; nobody else runs one. */
const mayImportRules = (path: string, name: string): boolean =>
  (/^@gatehouse\/rule-vet(\/exports)?$/.test(name) && path.startsWith('rules-wasm/')) ||
  (/^@gatehouse\/rule-sandbox(\/(digest|input|open))?$/.test(name) &&
    ['plugins/detect-wasm/', 'core/cli/', 'rules-wasm/examples/'].some((place) => path.startsWith(place)))

const domainIsPure: Law = ({ path, imports }) => {
  if (!path.startsWith('core/domain/')) return []
  return packagesOf(imports)
    .filter((name) => !domainPackages.includes(name))
    .map((name) => `is domain and may not import ${name}`)
}

const sdkIsLight: Law = ({ path, imports }) => {
  if (!path.startsWith('sdk/')) return []
  return packagesOf(imports)
    .filter((name) => !contractPackages.includes(name) && !(name === 'node:fs' && path === readsTheSystem))
    .map((name) => `is the contract and may not import ${name}`)
}

const containerInCompose: Law = ({ path, imports }) =>
  imports.includes('tsyringe') && path !== 'core/compose.ts' ? ['may not import tsyringe; only compose.ts does'] : []

const processInMain: Law = ({ path, processMembers }) => {
  if (touchesProcess.includes(path)) return []
  return processMembers
    .filter((member) => mainOnly.includes(member))
    .map((member) => `touches process.${member}; only main.ts does`)
}

const importsInTheOpen: Law = ({ path, dynamicImports }) =>
  dynamicImports > 0 && !importsByName.includes(path) ? ['has an import() that only the plugin loader may have'] : []

const pluginsStayNameless: Law = ({ path, strings }) => {
  if (!path.startsWith('core/')) return []
  return strings
    .filter((text) => /@gatehouse\/(?!(sdk|core|rule-sandbox|rule-assemblyscript)\b)[a-z]/.test(text))
    .map((text) => `names a plugin: ${text}`)
}

const laws: readonly Law[] = [
  edgesOfCore,
  entitiesStay,
  noTestsInside,
  wallsBetweenWorkspaces,
  domainIsPure,
  sdkIsLight,
  containerInCompose,
  processInMain,
  importsInTheOpen,
  oneWayOut,
  pluginsStayNameless,
]

function findCycles(files: readonly FileFacts[]): string[] {
  const graph = new Map(files.map(({ path, imports }) => [path, targetsOf(path, imports)]))
  const done = new Set<string>()
  const trail: string[] = []
  const cycles: string[] = []
  const visit = (path: string): void => {
    const at = trail.indexOf(path)
    if (at >= 0) cycles.push(`cycle: ${[...trail.slice(at), path].join(' -> ')}`)
    if (at >= 0 || done.has(path)) return
    trail.push(path)
    for (const target of graph.get(path) ?? []) visit(target)
    trail.pop()
    done.add(path)
  }
  for (const { path } of files) visit(path)
  return cycles
}

function isProcess(node: { type: string; name?: unknown } | null): boolean {
  return node?.type === 'Identifier' && node.name === 'process'
}

function isTest(path: string): boolean {
  return /\.(test|types-test|fixture)\.ts$|^core\/test\/|^(core|plugins)\/.*\/testing\.ts$/.test(path)
}

function targetsOf(path: string, imports: readonly string[]): string[] {
  const relative = imports.filter((name) => name.startsWith('.'))
  return relative.map((name) => posix.join(posix.dirname(path), name).replace(/\.(c?)js$/, '.$1ts'))
}

function packagesOf(imports: readonly string[]): string[] {
  return imports.filter((name) => !name.startsWith('.'))
}

function placeOf(path: string): string {
  const [, first = '', second] = path.split('/')
  if (second === undefined) return ['config.ts', 'errors.ts'].includes(first) ? 'contracts' : first.slice(0, -3)
  return first === 'db' && second === 'repositories' ? 'db/repositories' : first
}

function workspaceOf(path: string): string {
  const [first = '', second = ''] = path.split('/')
  return ['plugins', 'rules-wasm'].includes(first) ? `${first}/${second}` : first
}
