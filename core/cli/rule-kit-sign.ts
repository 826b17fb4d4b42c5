import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { parse, resolve } from 'node:path'
import { z } from 'zod'
import { readPublicKey } from '../domain/artifact-trust.js'
import { canonicalJson } from '../domain/canonical-json.js'
import { CommandError, type Io } from './io.js'
import { besides, parseJson, readPackage } from './rule-kit-package.js'

interface Options {
  readonly key: string
  readonly keyId?: string
  readonly verify?: boolean
}

const Signature = z.object({ keyId: z.string(), signature: z.string() })

/** Signs the manifest of a module, which holds the module's digest; or tells whether it was signed with the key. */
export async function signCommand(
  io: Io,
  file: string,
  { key, keyId = parse(key).name, ...options }: Options,
): Promise<void> {
  const { written, manifest, sha256 } = await readPackage(io, file)
  if (written === null)
    throw new CommandError(`${file} has no manifest beside it, which is what is signed: gatehouse rules build`)
  if (manifest.sha256 !== sha256)
    throw new CommandError(`The manifest beside ${file} is of another module: build it anew before it is signed.`)
  const text = Buffer.from(canonicalJson(written))
  if (options.verify) return verifyText(io, file, { text, key })
  const signature = sign(null, text, await readPrivateKey(io, key)).toString('base64')
  const out = besides(file).signature
  await writeFile(resolve(io.cwd, out), `${JSON.stringify({ keyId, signature }, null, 2)}\n`)
  io.out(`${out}\nSigned with the key "${keyId}", as it must be called in settings.ruleModules.trustedKeys.\n`)
}

async function verifyText(
  io: Io,
  file: string,
  { text, key }: { readonly text: Buffer; readonly key: string },
): Promise<void> {
  const path = besides(file).signature
  const beside = parseJson(await readText(io, path), path)
  const { success, data } = Signature.safeParse(beside)
  if (!success) throw new CommandError(`${path} must hold { "keyId": "…", "signature": "…" }.`)
  const publicKey = publicOf(await readText(io, key), key)
  if (!verify(null, text, publicKey, Buffer.from(data.signature, 'base64')))
    throw new CommandError(`${path} is not by this key, or the manifest has changed since.`)
  io.out(`${file} was signed with this key, by the name "${data.keyId}".\n`)
}

async function readPrivateKey(io: Io, path: string): Promise<KeyObject> {
  const text = await readText(io, path)
  const key = attempt(() => createPrivateKey(text))
  if (key?.asymmetricKeyType === 'ed25519') return key
  throw new CommandError(`${path} is no private Ed25519 key in PEM. Make one: gatehouse rules keygen`)
}

/** Of a public key, or of the private key that it belongs to. */
function publicOf(text: string, path: string): KeyObject {
  const key = readPublicKey(text.trim()) ?? attempt(() => createPublicKey(createPrivateKey(text)))
  if (key?.asymmetricKeyType === 'ed25519') return key
  throw new CommandError(`${path} is no Ed25519 key.`)
}

function attempt(make: () => KeyObject): KeyObject | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

async function readText(io: Io, path: string): Promise<string> {
  return readFile(resolve(io.cwd, path), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`${path} cannot be read (${error.code}).`)
  })
}

/** Makes a key to sign with. The private half is readable by its owner alone, and never printed. */
export async function keygenCommand(io: Io, { out }: { readonly out: string }): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  await writeFile(resolve(io.cwd, out), pem, { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(
      error.code === 'EEXIST'
        ? `${out} is there already; it is not overwritten.`
        : `${out} cannot be written (${error.code}).`,
    )
  })
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64')
  io.err(`${out} holds the private key: keep it off the gateway, and secret. For the gateway's YAML file:\n`)
  io.out(`settings:\n  ruleModules:\n    trustedKeys:\n      ${parse(out).name}: { publicKey: '${raw}' }\n`)
}
