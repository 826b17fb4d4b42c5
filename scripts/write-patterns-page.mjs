import { readFileSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './install.mjs'

// Writes the tables of docs/patterns.md anew from the built library; what stands above them stays.
const { patternTables } = await import(new URL('../sdk/dist/patterns/page.js', import.meta.url))
const path = join(root, 'docs', 'patterns.md')
const page = readFileSync(path, 'utf8')
writeFileSync(path, `${page.slice(0, page.indexOf('## prompt-injection'))}${patternTables()}\n`)
spawnSync('npx', ['prettier', '--write', path], { stdio: 'inherit', cwd: root })
