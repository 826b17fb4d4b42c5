import type { CheckName } from '@gatehouse/sdk/patterns'
import { serveTasks } from '@gatehouse/sdk/workers'
import { scan } from './scan.js'
import type { Hits } from './scan.js'

/**
 * What the pool sends: one evaluation. `linear` says that the source may be run with `l` when all else fails, `steep` that all
 * else would fail.
 */
export interface Job {
  readonly source: string
  readonly flags: string
  readonly linear: boolean
  readonly steep: boolean
  readonly check: CheckName | null
  readonly texts: readonly string[]
}

const compiled = new Map<string, RegExp>()
const MOST_COMPILED = 1_000

function compile(source: string, flags: string): RegExp {
  const key = `${flags}/${source}`
  const known = compiled.get(key)
  if (known !== undefined) return known
  if (compiled.size >= MOST_COMPILED) compiled.clear()
  const fresh = new RegExp(source, flags)
  compiled.set(key, fresh)
  return fresh
}

function scanAll(regexp: RegExp, { texts, check }: Pick<Job, 'texts' | 'check'>): Hits {
  const hits: Hits = []
  texts.forEach((text, leaf) => {
    if (scan(regexp, text, leaf, hits, { check, until: Infinity }) === 'tooMany')
      throw new RangeError('too many matches')
  })
  return hits
}

function run(job: Job): Hits {
  const { source, flags, linear, steep } = job
  try {
    if (linear && steep) throw new RangeError('too long a run')
    return scanAll(compile(source, flags), job)
  } catch (thrown) {
    // A long text can exhaust the stack of the engine that goes back; the linear one needs none.
    if (!linear) throw thrown
  }
  return scanAll(compile(source, `${flags}l`), job)
}

serveTasks(run)
