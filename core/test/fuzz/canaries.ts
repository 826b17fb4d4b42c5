import { hashOf } from './random.js'

/** Those whose messages must never meet. `all` is nobody: the identity that they share. */
export const PEOPLE = ['mia', 'max', 'kim'] as const
export type Person = (typeof PEOPLE)[number]

/** The credential of a person at a server: whatever a server answers to it carries it. */
export const keyOf = (whose: Person | 'all'): string => `CNRY-${whose}-5d81f0`

/** Stands in every message of a person, and so in every answer to it. One that was bent on its way counts for nothing. */
export const nonceOf = (whose: Person, number: number): string => `NONCE-${whose}-${number}-${check(whose, number)}-`

const check = (whose: string, number: number): string => hashOf(`${whose} ${number}`).toString(36)

const NAMED = new RegExp(`(?:CNRY|NONCE)-(${[...PEOPLE, 'all'].join('|')})-`, 'g')
const NONCES = new RegExp(`NONCE-(${PEOPLE.join('|')})-(\\d+)-([a-z0-9]+)-`, 'g')

/** All whose canaries stand in a text. */
export const ownersIn = (text: string): ReadonlySet<string> =>
  new Set([...text.matchAll(NAMED)].flatMap(([, whose]) => (whose === undefined ? [] : [whose])))

/** The cases whose canaries stand in a text. */
export const numbersIn = (text: string): ReadonlySet<number> =>
  new Set(
    [...text.matchAll(NONCES)].flatMap(([, whose = '', digits, sum]) =>
      sum === check(whose, Number(digits)) ? [Number(digits)] : [],
    ),
  )

/** Canaries in a text of somebody's that are neither theirs nor of what all share. */
export const strangersIn = (text: string, whose: string): readonly string[] =>
  [...ownersIn(text)].filter((owner) => owner !== whose && owner !== 'all')
