import { GatehouseError } from '../../errors.js'

/** A database that gives no answer in this time counts as away: GH_DB_UNAVAILABLE. */
export async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new GatehouseError('GH_DB_UNAVAILABLE', { detail: `no answer in ${ms} ms` })), ms)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
    answer.catch(() => undefined)
  }
}
