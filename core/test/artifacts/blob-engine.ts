import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { canonicalJson } from '../../domain/canonical-json.js'

/**
 * An engine as an integrator writes one: a module is a word, and its rules find that. A module that begins with `bad` cannot be
 * built; one that begins with `slow` takes its time to answer. A rule may say `least`, and the module how much that must be.
 */
export const BLOB = `setup(context) {
  const text = (artifact) => Buffer.from(artifact.bytes).toString()
  context.serve('engine.prepare', 'blob', ({ config, artifact, isUpload }) => {
    const word = text(artifact)
    if (word.startsWith('bad')) return { ok: false, errors: [{ path: 'module', message: 'cannot be built' }] }
    if (!isUpload && (config.least ?? 0) < (artifact.manifest.least ?? 0))
      return { ok: false, errors: [{ path: 'least', message: 'must be at least ' + artifact.manifest.least }] }
    const state = { word, name: artifact.name + '@' + artifact.version + ' ' + (artifact.signedBy ?? 'nobody'), alive: true }
    return { ok: true, passes: 1, state, facts: { letters: word.length } }
  }, {
    engine: {
      rule: z.object({ module: z.string(), least: z.number().optional() }),
      answers: 'spans',
      fails: true,
      artifact: {
        key: 'module',
        manifest: z.strictObject({ name: z.string(), version: z.string(), sha256: z.string(), least: z.number().optional() }),
        grants: z.strictObject({ room: z.number().optional() }),
        mostBytes: 2000000,
      },
    },
  })
  const find = ({ word, name }, leaves) => ({
    verdict: 'findings',
    findings: leaves.flatMap(({ text, kind }, leaf) => {
      const start = kind === 'value' ? text.indexOf(word) : -1
      return start < 0 ? [] : [{ type: name, leaf, start, end: start + word.length, score: 1 }]
    }),
  })
  context.serve('engine.evaluate', 'blob', async ({ state, leaves }) => {
    if (state.word.startsWith('slow')) await new Promise((resolve) => setTimeout(resolve, 300))
    if (!state.alive) throw new Error('it was retired')
    return find(state, leaves)
  })
  context.serve('engine.retire', 'blob', ({ state }) => void (state.alive = false))
  context.serve('engine.test', 'blob', ({ artifact, text: given }) => ({
    ok: true,
    evaluation: find({ word: text(artifact), name: artifact.name + '@' + artifact.version }, [{ kind: 'value', text: given }]),
  }))
}`

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

export const manifestOf = (name: string, word: string, more: object = {}): Record<string, unknown> => ({
  name,
  version: '1.0.0',
  sha256: sha256(word),
  ...more,
})

/** What is sent for a module that is this word. */
export const moduleOf = (name: string, word: string, more: object = {}) => ({
  module: Buffer.from(word).toString('base64'),
  manifest: manifestOf(name, word, more),
})

export interface Signer {
  /** Base64 of its 32 bytes. */
  readonly publicKey: string
  readonly pem: string
  sign(keyId: string, manifest: object): { readonly keyId: string; readonly signature: string }
}

export function createSigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = (key: KeyObject) => key.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64')
  return {
    publicKey: raw(publicKey),
    pem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    sign: (keyId, manifest) => ({
      keyId,
      signature: sign(null, Buffer.from(canonicalJson(manifest)), privateKey).toString('base64'),
    }),
  }
}
