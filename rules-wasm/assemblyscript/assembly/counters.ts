import { counterAdd } from './host'
import { encode } from './utf8'

/**
 * Counters of the manifest, summed over all calls. Needs the capability `counters`.
 */
export abstract class Counters {
  static add(name: string, n: i32 = 1): void {
    const bytes = encode(name)
    counterAdd(bytes.at, bytes.length, n)
  }
}
