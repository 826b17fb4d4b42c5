import { begin } from '../begin.mjs'
import { readOptions, USAGE } from './options.mjs'

const options = begin({ readOptions, usage: USAGE })
const { conformance } = await import('./conformance.mjs')
const { asText } = await import('./report.mjs')
const { verdicts, authorization } = await conformance(options)
process.stdout.write(asText(verdicts, authorization))
process.exitCode = [...verdicts, authorization].some((verdict) => (verdict?.sums.failed ?? 0) > 0) ? 1 : 0
