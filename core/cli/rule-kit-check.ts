import { flagsOf, tellGrants } from './grant-commands.js'
import { columns, CommandError, type Io, plain, shellWord } from './io.js'
import { grantsFor, readPackage, type RulePackage } from './rule-kit-package.js'
import { openRunner } from './rule-kit-runner.js'
import type { Report } from './rule-kit-worker.js'

export interface Checked {
  readonly sha256: string
  readonly report: Report
}

/** Vets, meters and compiles a module as the gateway does at its upload. */
export async function checkCommand(io: Io, file: string, { json = false }): Promise<void> {
  const rule = await readPackage(io, file)
  const { sha256, report } = await check(rule)
  if (json) {
    const { problems, ...facts } = report
    const grants = grantsFor(rule)
    io.out(`${JSON.stringify({ ok: problems.length === 0, sha256, grants, ...facts, problems }, null, 2)}\n`)
    if (problems.length > 0) throw new CommandError(`${file} would be refused.`)
    return
  }
  if (rule.written === null) io.err('There is no manifest beside it, so it may use nothing but its input and output.\n')
  if (report.problems.length > 0) throw refusal(file, report)
  io.out(`${tell(rule, report)}\n`)
}

export async function checkOrTell(_io: Io, rule: RulePackage): Promise<Checked> {
  const checked = await check(rule)
  if (checked.report.problems.length > 0) throw refusal(rule.path, checked.report)
  return checked
}

async function check(rule: RulePackage): Promise<Checked> {
  const runner = await openRunner(rule)
  await runner.stop()
  return { sha256: rule.sha256, report: runner.report }
}

function refusal(file: string, { problems }: Report): CommandError {
  const lines = problems.map(({ message, offset, path }) => {
    const place = offset === undefined ? path : `byte ${offset} (0x${offset.toString(16)})`
    return `  ${place === undefined ? '' : `${plain(place)}: `}${plain(message)}`
  })
  return new CommandError(`${file} would be refused:\n${lines.join('\n')}`)
}

function tell(rule: RulePackage, { facts, limits }: Report): string {
  const { manifest, sha256 } = rule
  const grants = grantsFor(rule)
  const isGranted = Object.keys(grants).length > 0
  const rows = [
    ['name', `${manifest.name} ${manifest.version}`],
    ['sha256', sha256],
    ['abi', manifest.abi],
    ['language', manifest.language],
    ['capabilities', manifest.capabilities.join(', ') || 'none'],
    ['grants needed', tellGrants(grants)],
    ['to grant them', isGranted ? `gatehouse rules upload ${shellWord(rule.path)} ${flagsOf(grants)}` : ''],
    ...Object.entries(facts).map(([key, value]) => [words(key), shown(value)]),
    ['metering', overhead(facts)],
    ...Object.entries(limits ?? {}).map(([key, value]) => [`most ${words(key)}`, String(value)]),
  ]
  return columns(rows.filter(([, value]) => value !== '').map((row) => row.map((cell) => plain(cell))))
}

const words = (key: string): string => key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)

const shown = (value: string | number | readonly string[]): string =>
  typeof value === 'object' ? value.join(', ') || 'none' : String(value)

function overhead({ bytes, meteredBytes }: Report['facts']): string {
  if (typeof bytes !== 'number' || typeof meteredBytes !== 'number') return ''
  return `adds ${Math.round((meteredBytes / bytes - 1) * 100)} % to its size`
}
