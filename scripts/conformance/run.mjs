import { begin } from '../begin.mjs'
import { readOptions, USAGE } from './options.mjs'

const options = begin({ readOptions, usage: USAGE })
const { conformance } = await import('./conformance.mjs')
const { asText } = await import('./report.mjs')
const verdicts = await conformance(options)
process.stdout.write(asText(verdicts))
process.exitCode = verdicts.some(({ sums }) => sums.failed > 0) ? 1 : 0
