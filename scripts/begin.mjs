import { build, checkNode, install } from './install.mjs'

/**
 * How each of our measuring commands begins: reads the command line, shows the help or what is wrong with it, and builds. What
 * is imported after it is what was just built.
 *
 * @template {{ help?: boolean, build?: boolean }} Options
 * @param {{ readOptions: (argv: string[]) => Options, usage: string, linuxOnly?: string }} command `linuxOnly` says why
 * @returns {Options}
 */
export function begin({ readOptions, usage, linuxOnly }) {
  const options = read(readOptions, usage)
  if (options.help) {
    process.stdout.write(usage)
    process.exit(0)
  }
  if (linuxOnly !== undefined && process.platform !== 'linux') {
    console.error(linuxOnly)
    process.exit(1)
  }
  checkNode()
  if (options.build) {
    install()
    build()
  }
  return options
}

function read(readOptions, usage) {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`)
    process.exit(2)
  }
}
