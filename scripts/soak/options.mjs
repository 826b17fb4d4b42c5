import { parseArgs } from 'node:util'

export const USAGE = `Usage: npm run soak -- [options]

Lets clients of both eras use a gateway for a while (calls, lists, questions both ways, streams opened and dropped,
sessions ended and abandoned, calls taken back, calls that wait for answers nobody gives), and judges it by its memory,
its sockets and its processes.

  --minutes N     how long (default 10); below 5 what is said of growth means little
  --clients N     how many clients at once (default 24)
  --seed N        of what they do (default 1)
  --wasm          instead: legs through rules in WebAssembly, judged by the memory of the process and its threads
  --calls N       how many of them (default 200000)
  --no-build      soak what is compiled already
  --json          print one JSON document instead of the tables
  --help          this text

Exit code 0 when the memory is flat, every socket is closed and no process is left, else 1.
`

/** Throws a TypeError with a message for the person at the keyboard. */
export function readOptions(argv) {
  const { values } = parseArgs({
    args: argv,
    allowNegative: true,
    options: {
      minutes: { type: 'string', default: '10' },
      clients: { type: 'string', default: '24' },
      seed: { type: 'string', default: '1' },
      wasm: { type: 'boolean', default: false },
      calls: { type: 'string', default: '200000' },
      build: { type: 'boolean', default: true },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const { build, json, help, wasm } = values
  return {
    ms: above0('minutes', values.minutes) * 60_000,
    clients: Math.ceil(above0('clients', values.clients)),
    seed: above0('seed', values.seed),
    wasm,
    calls: Math.ceil(above0('calls', values.calls)),
    build,
    json,
    help,
  }
}

function above0(name, text) {
  const value = Number(text)
  if (value > 0) return value
  throw new TypeError(`--${name} takes a number above 0`)
}
