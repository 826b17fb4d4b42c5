import type { Case, Cases, Suite } from './plan.js'
import { replayLine } from './plan.js'
import { Wire } from './wire.js'

/** Connections that are kept and used again, as long as they are whole. */
export class Wires {
  readonly #idle: Wire[] = []

  constructor(private readonly port: number) {}

  async take(): Promise<Wire> {
    for (let wire = this.#idle.pop(); wire !== undefined; wire = this.#idle.pop()) if (wire.isOpen) return wire
    return Wire.open(this.port)
  }

  /** Gives a sentence when something came that nobody had asked for. */
  give(wire: Wire): string | null {
    const { stray } = wire
    if (stray !== '') wire.leave()
    else if (wire.isOpen) this.#idle.push(wire)
    return stray === '' ? null : `bytes behind the answer: ${JSON.stringify(stray.slice(0, 300))}`
  }

  stop(): void {
    for (const wire of this.#idle) wire.leave()
  }
}

export interface Finding {
  readonly number: number
  readonly breaches: readonly string[]
  /** What was sent, and what came back. */
  readonly shown: string
}

const MOST_FINDINGS = 12

/** Runs all cases, so many at once, and gives what was found; stops early when there is enough to read. */
export async function runAll(
  cases: Cases,
  atOnce: number,
  run: (one: Case) => Promise<Finding | null>,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  const work = async () => {
    for (let one = cases.next(); one !== undefined && findings.length < MOST_FINDINGS; one = cases.next()) {
      const found = await run(one)
      if (found !== null) findings.push(found)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return findings
}

/** Fails with all that is needed to run each finding again alone. */
export function mustBeNone(suite: Suite, findings: readonly Finding[]): void {
  if (findings.length === 0) return
  for (const { number, breaches, shown } of findings)
    console.error(`--- ${replayLine(suite, number)}\n${breaches.map((breach) => `  ${breach}\n`).join('')}${shown}\n`)
  throw new Error(`${findings.length} cases broke a law; they are told above`)
}

/** Bytes as a JavaScript text, which can be pasted. */
export const quoted = (bytes: Buffer, most = 3_000): string => JSON.stringify(bytes.toString('latin1').slice(0, most))
