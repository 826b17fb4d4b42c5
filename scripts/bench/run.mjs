import { begin } from '../begin.mjs'
import { readOptions, USAGE } from './options.mjs'

const linuxOnly = 'The benchmark reads CPU and memory from /proc and runs on Linux only.'
const options = begin({ readOptions, usage: USAGE, linuxOnly })
const own = ['permissions', 'troubles', 'rules', 'wasm', 'backtest'].find((name) => options[name])
const [measure, report] = own === undefined ? ['./bench.mjs', './report.mjs'] : [`./${own}.mjs`, `./${own}-report.mjs`]
const { bench } = await import(measure)
const { asJson, asText } = await import(report)
const results = await bench(options)
process.stdout.write(options.json ? asJson(results) : asText(results))
process.exit(results.missing === 0 ? 0 : 1)
