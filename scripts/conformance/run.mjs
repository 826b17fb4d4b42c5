import { build, checkNode, install } from '../install.mjs'
import { readOptions, USAGE } from './options.mjs'

const options = read(process.argv.slice(2))
if (options.help) {
  process.stdout.write(USAGE)
  process.exit(0)
}
checkNode()
if (options.build) {
  install()
  build()
}
// What follows imports what was just built.
const { conformance } = await import('./conformance.mjs')
const { asText } = await import('./report.mjs')
const { verdicts, authorization } = await conformance(options)
process.stdout.write(asText(verdicts, authorization))
process.exitCode = [...verdicts, authorization].some((verdict) => (verdict?.sums.failed ?? 0) > 0) ? 1 : 0

function read(argv) {
  try {
    return readOptions(argv)
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`)
    process.exit(2)
  }
}
