import { begin } from '../begin.mjs'
import { readOptions, USAGE } from './options.mjs'

const linuxOnly = 'The benchmark reads CPU and memory from /proc and runs on Linux only.'
const options = begin({ readOptions, usage: USAGE, linuxOnly })
const { bench } = await import(options.troubles ? './troubles.mjs' : './bench.mjs')
const { asJson, asText } = await import(options.troubles ? './troubles-report.mjs' : './report.mjs')
const results = await bench(options)
process.stdout.write(options.json ? asJson(results) : asText(results))
process.exit(results.missing === 0 ? 0 : 1)
