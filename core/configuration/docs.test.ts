import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Command } from 'commander'
import { createProgram } from '../cli/program.js'
import type { Io } from '../cli/io.js'
import { CAPABILITIES } from '../domain/capabilities.js'
import { createOperations } from '../http/api/operations.js'
import type { ApiOptions } from '../http/api/operation.js'
import { File } from './schemas.js'

const root = new URL('../../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
/** What stands between backticks in the first column of the tables below a heading. */
function firstColumn(page: string, heading: string): string[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? ''
  return [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, cell = '']) => cell)
}

interface Definition {
  readonly type: string
  readonly innerType?: { readonly def: Definition }
  readonly valueType?: { readonly def: Definition }
  readonly element?: { readonly def: Definition }
  readonly options?: readonly { readonly def: Definition }[]
  readonly shape?: Readonly<Record<string, { readonly def: Definition }>>
}

function keysOf(def: Definition, path: string): string[] {
  if (def.innerType) return keysOf(def.innerType.def, path)
  if (def.shape)
    return Object.entries(def.shape).flatMap(([key, one]) => keysOf(one.def, path === '' ? key : `${path}.${key}`))
  if (def.valueType) return keysOf(def.valueType.def, `${path}.<name>`)
  if (def.element) return keysOf(def.element.def, `${path}[]`)
  const objects = def.options?.filter((option) => option.def.shape) ?? []
  return objects.length > 0 ? objects.flatMap((option) => keysOf(option.def, path)) : [path]
}

test('the documentation lists exactly the keys of the file', () => {
  // A default rule says what any rule does.
  const keys = keysOf(File.def as unknown as Definition, '').map((key) => key.replace(/^(defaultRules\[\])\..*/, '$1'))
  const known = [...new Set(keys)]
  assert.ok(known.length > 50)
  assert.equal(firstColumn(read('docs/configuration.md'), 'Keys of the file').toSorted(), known.toSorted())
})

test('the documentation lists exactly the variables of the environment', () => {
  const [, body = ''] = /const Environment = z\.object\(\{(.*?)\n\}\)/s.exec(read('core/config.ts')) ?? []
  const known = [...body.matchAll(/^ {2}([A-Z_]+):/gm)].map(([, name = '']) => name)
  assert.ok(known.length > 10)
  assert.equal(firstColumn(read('docs/configuration.md'), 'Environment').toSorted(), known.toSorted())
})

test('the documentation lists exactly the operations of the API and the capabilities', () => {
  const page = read('docs/api.md')
  const known = createOperations({} as ApiOptions).map(({ method, path }) => `${method.toUpperCase()} ${path}`)
  assert.equal(firstColumn(page, 'Operations').toSorted(), known.toSorted())
  const section = page.split('## Capabilities')[1] ?? ''
  assert.equal(
    [...section.matchAll(/`(\w+)`/g)].map(([, key]) => key),
    [...CAPABILITIES],
  )
})

test('the documentation lists exactly the commands and their options', () => {
  const program = createProgram({ version: '0' } as Io)
  const leaves = (command: Command, path: string): [string, Command][] =>
    command.commands.length === 0
      ? [[path, command]]
      : command.commands.flatMap((child) => leaves(child, `${path} ${child.name()}`))
  const commands = leaves(program, 'gatehouse')
  const page = read('docs/cli.md')
  const listed = firstColumn(page, '').concat(
    [...page.matchAll(/^\| `(gatehouse [^`]+)`/gm)].map(([, cell = '']) => cell),
  )
  assert.equal(listed.toSorted(), commands.map(([path]) => path).toSorted())
  const options = commands.flatMap(([, command]) => command.options.map(({ long }) => long ?? ''))
  assert.equal(firstColumn(page, 'Options').toSorted(), [...new Set(options)].toSorted())
})

test.run()
