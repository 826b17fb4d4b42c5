import { RULE_GRANT_LIMITS, RULE_LIMITS, type RuleGrants, RuleManifest } from '@gatehouse/sdk/rule-abi'
import { type Command, InvalidArgumentError } from 'commander'
import { connect } from './client.js'
import { columns, type Io, plain } from './io.js'
import { grantsFor } from './rule-kit-package.js'

/** What of an artifact is of interest here. */
export interface Granted {
  readonly slug: string
  readonly grants: Readonly<Record<string, unknown>>
}
interface GrantOptions extends RuleGrants {
  readonly none?: boolean
  readonly json?: boolean
}

const positive = (text: string): number => {
  if (/^[1-9]\d{0,11}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 1 on, in digits alone.')
}
const bounds = (key: keyof typeof RULE_GRANT_LIMITS): string =>
  `every module may have ${RULE_LIMITS[key]}, by grant ${RULE_GRANT_LIMITS[key]}`

/** The flags by which a command says what a module is granted: one for each key of `RuleGrants`. */
export function addGrantOptions(command: Command): Command {
  return command
    .option('--fuel <n>', `grant so much fuel for a message; ${bounds('fuel')}`, positive)
    .option('--memory-pages <n>', `grant so many pages of 64 KiB; ${bounds('memoryPages')}`, positive)
    .option('--module-bytes <n>', `grant a module of that size; ${bounds('moduleBytes')}`, positive)
    .option('--wasi-stub', 'grant the stub of WASI that a module in Go needs')
}

export function addGrantCommand(rules: Command, io: Io): void {
  const grant = rules
    .command('grant')
    .description('Show what a module is granted beyond what every module may, or grant more: what is not named stays.')
    .argument('<name>', 'the module')
  addGrantOptions(grant)
    .option('--none', 'take all grants away, but those that are named beside it')
    .option('--json', 'print the module as JSON')
    .action((name: string, options: GrantOptions) => grantTo(io, name, options))
}

async function grantTo(io: Io, name: string, { none = false, json, ...options }: GrantOptions): Promise<void> {
  const client = await connect(io)
  const path = `/artifacts/${encodeURIComponent(name)}`
  const given = grantsOf(options)
  const isChange = none || given !== undefined
  const before = isChange && none ? {} : ((await client.get(path)) as Granted).grants
  const after = isChange ? await client.patch(path, { grants: { ...before, ...given } }) : await client.get(path)
  if (json) return io.out(`${JSON.stringify(after, null, 2)}\n`)
  const { slug, grants } = after as Granted
  io.out(`${columns([[slug, tellGrants(grants)]])}\n`)
}

/** What the flags grant; undefined: nothing was said. */
export function grantsOf({ fuel, memoryPages, moduleBytes, wasiStub }: RuleGrants): RuleGrants | undefined {
  const given = {
    ...(fuel !== undefined && { fuel }),
    ...(memoryPages !== undefined && { memoryPages }),
    ...(moduleBytes !== undefined && { moduleBytes }),
    ...(wasiStub !== undefined && { wasiStub }),
  }
  return Object.keys(given).length === 0 ? undefined : given
}

export function tellGrants(grants: Granted['grants']): string {
  const words = sorted(grants).filter(([, value]) => value !== false)
  return plain(words.map(([name, value]) => (value === true ? name : `${name} ${String(value)}`)).join(', ')) || 'none'
}

/** The database keeps no order. */
const sorted = (grants: Granted['grants']) =>
  Object.entries(grants).toSorted(([one], [other]) => (one < other ? -1 : 1))

/** The same as flags: `--fuel 100000000 --wasi-stub`. */
export const flagsOf = (grants: RuleGrants): string =>
  sorted(grants)
    .map(([key, value]) => {
      const flag = `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
      return value === true ? flag : `${flag} ${value}`
    })
    .join(' ')

/** What a module asks for and is not granted; empty, too, for what is of another engine. */
export function lackingGrants(bytes: Uint8Array, manifest: unknown, granted: Granted['grants']): RuleGrants {
  const parsed = RuleManifest.safeParse(manifest)
  if (!parsed.success) return {}
  const needed = Object.entries(grantsFor({ bytes, manifest: parsed.data }))
  const isLacking = ([key, value]: readonly [string, unknown]): boolean => {
    const has = granted[key]
    return typeof value === 'number'
      ? typeof has !== 'number' || has < Math.min(value, bytesOf(key, bytes))
      : has !== value
  }
  return Object.fromEntries(needed.filter(isLacking))
}
/** A module is asked for in whole mebibytes: it needs no more than it has. */
const bytesOf = (key: string, bytes: Uint8Array): number => (key === 'moduleBytes' ? bytes.length : Infinity)
