import { begin } from '../begin.mjs'
import { readOptions, USAGE } from './options.mjs'

const linuxOnly = 'The soak reads sockets and processes from /proc and runs on Linux only.'
const options = begin({ readOptions, usage: USAGE, linuxOnly })
const [{ soak }, { asText }] = options.wasm ? await openWasm() : await openHouse()
const result = await soak(options)
process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : asText(result))
process.exit(result.verdicts.every(({ holds }) => holds) ? 0 : 1)

async function openHouse() {
  return [await import('./soak.mjs'), await import('./report.mjs')]
}

async function openWasm() {
  const { soakWasm, asText: text } = await import('./wasm.mjs')
  return [{ soak: soakWasm }, { asText: text }]
}
