import { GatehouseError } from '../errors.js'

/** Where the values of references come from. */
export interface ReferenceSource {
  readonly env: Readonly<Record<string, string | undefined>>
  readFile(path: string): Promise<string>
}

const ONE = /\$\{([^{}]*)\}/g
// A scheme word may stand before the reference (`Bearer ${env:TOKEN}`), nothing else that could be a secret.
const WHOLE = /^(?:(?:Basic|Bearer|Token|ApiKey|Key) +)?\$\{[^{}]*\}$/i

export function isSecretReference(text: string): boolean {
  return WHOLE.test(text)
}

/**
 * The value of `${env:NAME}` or `${file:PATH}`, where a secret is demanded: text that stands there itself is refused. One
 * line end at the end of a file is not part of its value.
 */
export async function resolveSecret(text: string, source: ReferenceSource): Promise<string> {
  if (!isSecretReference(text)) {
    throw bad('a secret must be given as ${env:NAME} or ${file:PATH}, not written into the file')
  }
  return resolveReferences(text, source)
}

/** Text in which every reference is replaced by its value; text without references is its own value. */
export async function resolveReferences(text: string, source: ReferenceSource): Promise<string> {
  const values: string[] = []
  for (const [, reference = ''] of text.matchAll(ONE)) values.push(await valueOf(reference, source))
  return text.replace(ONE, () => values.shift() ?? '')
}

async function valueOf(reference: string, source: ReferenceSource): Promise<string> {
  const colon = reference.indexOf(':')
  const name = reference.slice(colon + 1).trim()
  switch (colon === -1 || name === '' ? '' : reference.slice(0, colon)) {
    case 'env':
      return fromEnvironment(name, source)
    case 'file':
      return fromFile(name, source)
    default:
      throw bad('a reference must be ${env:NAME} or ${file:PATH}')
  }
}

function fromEnvironment(name: string, { env }: ReferenceSource): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw bad('the name in ${env:NAME} must be the name of a variable')
  const value = Object.hasOwn(env, name) ? env[name] : undefined
  if (!value) throw bad(`the environment variable ${name} is not set`)
  return value
}

async function fromFile(path: string, source: ReferenceSource): Promise<string> {
  const text = await source.readFile(path).catch((cause: unknown) => {
    throw bad(`the file ${path} cannot be read`, cause)
  })
  const value = text.replace(/\r?\n$/, '')
  if (value === '') throw bad(`the file ${path} is empty`)
  return value
}

function bad(message: string, cause?: unknown): GatehouseError {
  return new GatehouseError('GH_CONFIG_SECRET', { message, cause })
}
