import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Texts as tools answer them, without a secret: this project's own files, and what is made here from a fixed seed. */
export function ordinaryTexts(): readonly string[] {
  return [...projectFiles(), ...Array.from({ length: 60 }, (_, seed) => MAKERS.map((make) => make(seed))).flat()]
}

function projectFiles(): readonly string[] {
  const names = [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'README.md',
    'CHANGELOG.md',
    'gatehouse.defaults.yaml',
  ]
  const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
  return [...names, ...pages.map((name) => join('docs', name))].map((name) => readFileSync(join(root, name), 'utf8'))
}

const hash = (text: string, algorithm = 'sha1') => createHash(algorithm).update(text).digest()
const hex = (text: string, algorithm?: string) => hash(text, algorithm).toString('hex')
function uuid(text: string): string {
  const digits = hex(text)
  return [8, 4, 4, 4, 12].map((length, index) => digits.slice(index * 5, index * 5 + length)).join('-')
}
const lines = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => make(index)).join('\n')

type Maker = (seed: number) => string

const gitLog: Maker = (seed) =>
  lines(
    20,
    (index) =>
      `commit ${hex(`c${seed}-${index}`)}\nAuthor: Ana <ana@example.com>\n\n    auth: rotate token secrets (#${index})\n`,
  )
const accessLog: Maker = (seed) =>
  lines(30, (index) => {
    const session = hex(`s${seed}-${index}`, 'md5')
    return `10.0.${seed}.${index} - - [12/Mar/2026:10:${index}:00 +0000] "GET /items/${session}?page_token=${hex(`${index}`)}&per_page=50 HTTP/1.1" 200 ${index}17 "https://example.com:8443/a" "Mozilla/5.0"`
  })
const picture: Maker = (seed) =>
  `data:image/png;base64,${Array.from({ length: 60 }, (_, index) => hash(`p${seed}-${index}`, 'sha512').toString('base64').slice(0, 84)).join('')}`
const lockFile: Maker = (seed) =>
  JSON.stringify(
    Object.fromEntries(
      Array.from({ length: 15 }, (_, index) => [
        `node_modules/token-secret-${index}`,
        {
          version: `1.${seed}.${index}`,
          resolved: `https://registry.example.org/token-secret/-/token-secret-1.${seed}.${index}.tgz`,
          integrity: `sha512-${hash(`i${seed}-${index}`, 'sha512').toString('base64')}`,
        },
      ]),
    ),
    null,
    2,
  )
const tickets: Maker = (seed) =>
  JSON.stringify({
    nextPageToken: hash(`n${seed}`, 'sha256').toString('base64url'),
    items: Array.from({ length: 10 }, (_, index) => ({
      id: uuid(`t${seed}-${index}`),
      title: 'Reset password: link does not arrive',
      description: 'The token expires too early. Password must contain 8 characters, secret questions are gone.',
      etag: `"${hex(`e${seed}-${index}`, 'md5')}"`,
      tokens: 4096 + index,
      token_type: 'bearer',
      passwordPolicy: 'strong',
    })),
  })
const manifest: Maker = (seed) =>
  [
    'apiVersion: v1',
    'kind: Secret',
    `metadata: { name: api-token-${seed}, uid: ${uuid(`m${seed}`)} }`,
    'spec:',
    '  secretName: registry-credentials',
    '  token: ${{ secrets.DEPLOY_TOKEN }}',
    '  password: <your-password>',
    '  api_key: "{{ vault.api_key }}"',
    `  image: registry.example.com/app@sha256:${hex(`d${seed}`, 'sha256')}`,
    '  secret: changeme',
  ].join('\n')
const code: Maker = (seed) =>
  [
    'const token = process.env.API_TOKEN',
    'const password = await readPassword(terminal)',
    `if (token === null) throw new Error('missing token: ${seed}')`,
    'export function tokenize(secret: string, password: string): Token[] {',
    "  const apiKey = config.get('api.key')",
    "  return fetch('https://api.example.com/v1/tokens', { headers: { authorization: `Bearer ${token}` } })",
    '}',
  ].join('\n')
const table: Maker = (seed) =>
  lines(
    25,
    (index) =>
      `${index},${uuid(`x${seed}-${index}`)},ana.${index}@example.com,2026-03-${index + 1},${hex(`y${seed}-${index}`, 'sha256')}`,
  )

const MAKERS: readonly Maker[] = [gitLog, accessLog, picture, lockFile, tickets, manifest, code, table]
