import { readFileSync } from 'node:fs'
import binaryen from 'binaryen'

/** WebAssembly as text from the standard input, as bytes to the standard output. */
process.stdout.write(binaryen.parseText(readFileSync(0, 'utf8')).emitBinary())
