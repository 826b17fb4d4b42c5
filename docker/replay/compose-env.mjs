// node compose-env.mjs: prints the environment of compose.yaml's gateway as JSON, filled in as compose would.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { interpolate } from './dockerfile.mjs'

const { services } = parse(readFileSync(new URL('../compose.yaml', import.meta.url), 'utf8'))
const entries = Object.entries(services.gateway.environment)
console.log(JSON.stringify(Object.fromEntries(entries.map(([name, value]) => [name, interpolate(value, process.env)]))))
