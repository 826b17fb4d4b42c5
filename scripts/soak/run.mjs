import { build, checkNode, install } from '../install.mjs'
import { readOptions, USAGE } from './options.mjs'

const options = read(process.argv.slice(2))
if (options.help) {
  process.stdout.write(USAGE)
  process.exit(0)
}
if (process.platform !== 'linux') {
  console.error('The soak reads sockets and processes from /proc and runs on Linux only.')
  process.exit(1)
}
checkNode()
if (options.build) {
  install()
  build()
}
// What follows imports what was just built.
const { soak } = await import('./soak.mjs')
const { asText } = await import('./report.mjs')
const result = await soak(options)
process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : asText(result))
process.exit(result.verdicts.every(({ holds }) => holds) ? 0 : 1)

function read(argv) {
  try {
    return readOptions(argv)
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`)
    process.exit(2)
  }
}
