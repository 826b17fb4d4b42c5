import { build, checkNode, install } from './install.mjs'

checkNode()
install()
build()
process.setSourceMapsEnabled(true)
await import(new URL('../core/dist/main.js', import.meta.url))
