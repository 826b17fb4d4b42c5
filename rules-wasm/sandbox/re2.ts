import { createRequire } from 'node:module'
import type * as Re2 from 're2js'

const load = createRequire(import.meta.url)

/** Regular expressions in linear time. Loaded with the first one: most threads that run rules see none, and each begins in a hurry. */
export const compile = (pattern: string): Re2.RE2JS => (load('re2js') as typeof Re2).RE2JS.compile(pattern)
