#!/usr/bin/env node
import { existsSync } from 'node:fs'

const built = new URL('../dist/cli/main.js', import.meta.url)
if (!existsSync(built)) {
  console.error('Gatehouse is not built yet: run npm start once in its folder; it installs and builds what is missing.')
  process.exit(1)
}
const { main } = await import(built)
await main({ start: () => import(new URL('../dist/main.js', import.meta.url)) })
