import { parseArgs } from 'node:util'
import { GROUPS } from './loads.mjs'

/** Every front, and how it is called in the tables. */
export const TITLES = {
  direct: 'direct',
  'pass-through': 'byte pass-through',
  gatehouse: 'Gatehouse, no rules',
  'gatehouse-rules': 'Gatehouse, five rules',
  sdk: 'SDK re-termination',
  'mcp-proxy': 'mcp-proxy',
}

export const USAGE = `Usage: npm run bench -- [options]

Measures Gatehouse beside other fronts of the same upstream, in turn, and prints medians with their spread.

  --rounds N      how often each front is visited at each load (default 5)
  --seconds N     length of one burst (default 1.2)
  --fronts A,B    only these, of ${Object.keys(TITLES).join(', ')}
                  (direct and pass-through are always there: the others are compared with them)
  --loads A,B     only these, of ${Object.keys(GROUPS).join(', ')}: calls of the first benchmark, answers in event
                  streams, results of 1 MiB, clients and servers of both eras (default all)
  --troubles      instead: 20 servers behind one Gatehouse, one of them in trouble; how the calls to the others fare
                  (rounds default 5, seconds 3; fronts, loads and seed say nothing here)
  --permissions   instead: who calls and may they, in houses of 10, 1,000 and 10,000 people (rounds default 15; seconds say
                  how many decisions in each: 1.2 are 1,000 and 20,000)
  --rules         instead: what the rules of one leg take, by engine, number and size of the message (rounds default 5,
                  seconds 0.2)
  --wasm          instead: rules in WebAssembly beside native patterns and Extism's own worker; rules that run away; a hundred
                  rules (rounds default 5, seconds 0.5)
  --backtest      instead: calls at a steady pace, alone and while a backtest runs over stored messages (rounds default 5, seconds 3)
  --quick         2 rounds of 0.4 s bursts: shows that everything works, its figures mean little
  --seed N        of the order in which the fronts are visited (default 1)
  --no-build      measure what is compiled already
  --json          print one JSON document instead of the tables
  --help          this text

Exit code 0 unless the run itself failed or the record misses a call; a bar that is not reached is only printed.
`

/** Throws a TypeError with a message for the person at the keyboard. */
export function readOptions(argv) {
  const { values } = parseArgs({
    args: argv,
    allowNegative: true,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      fronts: { type: 'string' },
      loads: { type: 'string' },
      seed: { type: 'string', default: '1' },
      troubles: { type: 'boolean', default: false },
      permissions: { type: 'boolean', default: false },
      rules: { type: 'boolean', default: false },
      wasm: { type: 'boolean', default: false },
      backtest: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      build: { type: 'boolean', default: true },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const { build, json, help, quick, troubles, permissions, rules, wasm, backtest } = values
  if ([troubles, permissions, rules, wasm, backtest].filter(Boolean).length > 1)
    throw new TypeError(
      '--troubles, --permissions, --rules, --wasm and --backtest are measurements of their own: choose one',
    )
  const seconds =
    troubles || backtest ? (quick ? '1.5' : '3') : rules || wasm ? shortOf(wasm, quick) : quick ? '0.4' : '1.2'
  return {
    rounds: whole('rounds', values.rounds ?? (quick ? '2' : permissions ? '15' : '5')),
    ms: positive('seconds', values.seconds ?? seconds) * 1000,
    seed: whole('seed', values.seed),
    fronts: chosen('front', Object.keys(TITLES), { text: values.fronts, always: ['direct', 'pass-through'] }),
    loads: chosen('load', Object.keys(GROUPS), { text: values.loads }),
    troubles,
    permissions,
    rules,
    wasm,
    backtest,
    build,
    json,
    help,
  }
}

/** Seconds of a measurement that needs no servers. */
const shortOf = (wasm, quick) => (wasm ? (quick ? '0.1' : '0.5') : quick ? '0.05' : '0.2')

function positive(name, text) {
  const value = Number(text)
  if (value > 0) return value
  throw new TypeError(`--${name} takes a number above 0`)
}

function whole(name, text) {
  const value = positive(name, text)
  if (Number.isInteger(value)) return value
  throw new TypeError(`--${name} takes a whole number`)
}

function chosen(noun, known, { text, always = [] }) {
  if (text === undefined) return known
  const named = text.split(',').map((name) => name.trim())
  const unknown = named.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new TypeError(`no ${noun} is called '${unknown}'; there are ${known.join(', ')}`)
  return known.filter((name) => always.includes(name) || named.includes(name))
}
