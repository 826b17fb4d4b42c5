import type { Evidence } from '@gatehouse/sdk'
import type { Conclusion, Rerun } from '../domain/rerun.js'
import { connect } from './client.js'
import { CommandError, columns, plain } from './io.js'
import type { Io } from './io.js'

export interface ReceiptOptions {
  readonly receipt: string
  readonly json?: boolean
  readonly allowExternal?: boolean
}

/** Fails when the verdict is another one now, or cannot be run again: scripts go by that. */
export async function replayReceipt(io: Io, options: ReceiptOptions): Promise<void> {
  const client = await connect(io)
  const { allowExternal } = options
  const body = allowExternal === undefined ? {} : { allowExternal }
  const rerun = (await client
    .post(`/rules/receipts/${encodeURIComponent(options.receipt)}/replay`, body)
    .catch(explain)) as Rerun
  if (options.json) io.out(`${JSON.stringify(rerun, null, 2)}\n`)
  else if (rerun.kept) io.out(writeRerun(rerun))
  if (!rerun.kept) throw new CommandError(`The verdict cannot be run again (${rerun.why}). ${rerun.message}`)
  if (!rerun.identical) throw new CommandError('The verdict is not what it was.')
}

function explain(error: unknown): never {
  if (!(error instanceof CommandError)) throw error
  if (error.message.startsWith('allowExternal: '))
    throw new CommandError(`${error.message.replace('allowExternal: ', '')}\nIf it is: --allow-external`)
  if (error.message.startsWith('no receipt '))
    throw new CommandError(`There is ${error.message}. Ids of receipts stand in gatehouse logs --json as receipt_id.`)
  throw error
}

/** For a person. */
export function writeRerun(rerun: Rerun & { readonly kept: true }): string {
  const { receipt, was, now, differences, config } = rerun
  const kept = config === 'recorded' ? 'as it was then' : `of version ${receipt.rule_version}, as it stands today`
  const lines = [
    `${receipt.rule_name}, version ${receipt.rule_version} (${receipt.engine}, ${receipt.hook}), ${kept}.`,
    columns([['', 'then', 'now'], ...rowsOf(was, now).map((row) => row.map(plain))]),
    ...(now.reason === null ? [] : [`It says now: ${now.reason}`]),
    rerun.identical ? 'identical' : `differs: ${differences.join(', ')}`,
  ]
  return `${lines.map((line) => line.split('\n').map(plain).join('\n')).join('\n')}\n`
}

function rowsOf(was: Conclusion, now: Conclusion): string[][] {
  return [
    ['verdict', was.verdict, now.verdict],
    ...valuesOf('findings', was.findings, now.findings),
    ...valuesOf('evidence', was.evidence ?? {}, now.evidence ?? {}),
  ]
}

function valuesOf(name: string, was: Evidence, now: Evidence): string[][] {
  const keys = [...new Set([...Object.keys(was), ...Object.keys(now)])].toSorted()
  const told = (values: Evidence, key: string) => (Object.hasOwn(values, key) ? String(values[key]) : '-')
  return keys.map((key) => [`${name}.${key}`, told(was, key), briefly(told(was, key), told(now, key))])
}

/** Digests are not worth comparing by eye. */
const briefly = (was: string, now: string): string => (was === now && now.length > LONG ? 'the same' : now)
const LONG = 24
