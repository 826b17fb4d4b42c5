import type { FeatureKind } from '@gatehouse/sdk'
import { plainOf, wordsOf } from './plain.js'

export interface NamedFeature {
  readonly kind: FeatureKind
  readonly name: string
}

/** A name as it is compared: at a glance, and word by word. */
export interface Look {
  readonly name: string
  readonly plain: string
  readonly shape: string
  readonly words: readonly string[]
}

/** The names of other servers' features, made ready once for all that is scanned among them. */
export interface Neighbourhood {
  /** In plain letters, those of several words only: `search` is a word of any text. */
  readonly telling: ReadonlySet<string>
  readonly looks: ReadonlyMap<FeatureKind, readonly Look[]>
}

/** Shorter names are too near each other to say anything. */
export const SHORTEST = 7
const SEVERAL_WORDS = /[a-z\d][_\-.][a-z\d]|[a-z][A-Z]/

export function neighbourhoodOf(features: readonly NamedFeature[]): Neighbourhood {
  const looks = new Map<FeatureKind, Look[]>()
  for (const { kind, name } of features) {
    if (name.length >= SHORTEST) (looks.get(kind) ?? startLooks(looks, kind)).push(lookOf(name))
  }
  const telling = features.filter(({ name }) => SEVERAL_WORDS.test(name)).map(({ name }) => plainOf(name))
  return { telling: new Set(telling), looks }
}

export function lookOf(name: string): Look {
  const plain = plainOf(name)
  const isPlain = plain === name.toLowerCase()
  return { name, plain, shape: shapeOf(plain), words: wordsOf(isPlain ? name : plain).split(' ') }
}

function shapeOf(plain: string): string {
  return plain
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w')
    .replaceAll('0', 'o')
    .replaceAll('5', 's')
    .replaceAll('3', 'e')
    .replaceAll(/[1i|!]/g, 'l')
}

function startLooks(looks: Map<FeatureKind, Look[]>, kind: FeatureKind): Look[] {
  const own: Look[] = []
  looks.set(kind, own)
  return own
}
