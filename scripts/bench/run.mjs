import { build, checkNode, install } from '../install.mjs'
import { readOptions, USAGE } from './options.mjs'

const options = read(process.argv.slice(2))
if (options.help) {
  process.stdout.write(USAGE)
  process.exit(0)
}
if (process.platform !== 'linux') {
  console.error('The benchmark reads CPU and memory from /proc and runs on Linux only.')
  process.exit(1)
}
checkNode()
if (options.build) {
  install()
  build()
}
// What follows imports what was just built.
const [measure, report] = options.permissions
  ? ['./permissions.mjs', './permissions-report.mjs']
  : options.troubles
    ? ['./troubles.mjs', './troubles-report.mjs']
    : ['./bench.mjs', './report.mjs']
const { bench } = await import(measure)
const { asJson, asText } = await import(report)
const results = await bench(options)
process.stdout.write(options.json ? asJson(results) : asText(results))
process.exit(results.missing === 0 ? 0 : 1)

function read(argv) {
  try {
    return readOptions(argv)
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`)
    process.exit(2)
  }
}
