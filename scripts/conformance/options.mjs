import { parseArgs } from 'node:util'

export const REVISIONS = ['2025-11-25', '2026-07-28']

/** What the suite is pointed at, and how it is called in the table. */
export const FRONTS = {
  direct: 'direct',
  both: 'gateway',
  legacy: 'legacy only',
  modern: 'modern only',
  replicas: 'two replicas',
}

export const USAGE = `Usage: npm run conformance -- [options]

Runs the official conformance suite against a server of the published packages (direct), and against the gateway in
front of that server while it speaks both eras (gateway), one of them (legacy only, modern only), and against two gateways
on one database behind a balancer without stickiness (two replicas). What the server passes
is what the gateway must pass; crossed.yml names what it may lose where client and server are of different eras.

  --only A,B          only these, of ${Object.keys(FRONTS).join(', ')} (direct is always there: the others are compared with it)
  --requirements V    only this revision, of ${REVISIONS.join(', ')}
  --scenario A,B      only these scenarios, each on every revision that has it
  --ask-on STREAM     where the server asks on the legacy era: post, the stream of the call, or get, its session's
                      (default post)
  --timeout MS        how long one scenario may take (default 15000)
  --no-authorization  leave out the scenarios for the authorization server, which need Chromium; also left out when
                      only a part of the rest is asked for
  --no-build          run what is compiled already
  --keep              keep the outputs of the suite and the log of the gateway, and tell where they are
  --help              this text

The exit code is not 0 when a check was lost, or an entry of crossed.yml or expected-failures.yml is stale.
`

/** Throws a TypeError with a message for the person at the keyboard. */
export function readOptions(argv) {
  const { values } = parseArgs({
    args: argv,
    allowNegative: true,
    options: {
      only: { type: 'string' },
      requirements: { type: 'string' },
      scenario: { type: 'string' },
      'ask-on': { type: 'string', default: 'post' },
      timeout: { type: 'string', default: '15000' },
      authorization: { type: 'boolean', default: true },
      build: { type: 'boolean', default: true },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const { build, keep, help } = values
  const [askOn] = chosen('ask-on', values['ask-on'], ['post', 'get'])
  const only = chosen('only', values.only, Object.keys(FRONTS))
  return {
    fronts: Object.keys(FRONTS).filter((front) => front === 'direct' || only.includes(front)),
    revisions: chosen('requirements', values.requirements, REVISIONS),
    scenarios: values.scenario === undefined ? null : listed(values.scenario),
    askOn,
    timeout: milliseconds(values.timeout),
    authorization: values.authorization && [values.only, values.requirements, values.scenario].every(isAbsent),
    build,
    keep,
    help,
  }
}

const isAbsent = (value) => value === undefined
const listed = (text) => text.split(',').map((name) => name.trim())

function chosen(option, text, known) {
  if (text === undefined) return known
  const named = listed(text)
  const unknown = named.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new TypeError(`--${option} does not know '${unknown}'; there are ${known.join(', ')}`)
  return named
}

function milliseconds(text) {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new TypeError('--timeout takes a whole number of milliseconds')
}
