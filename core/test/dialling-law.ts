const ALL = '*'

/** Of these modules, what opens connections; of the others all does. */
const DIALS: Readonly<Record<string, readonly string[] | typeof ALL>> = {
  undici: ALL,
  nodemailer: ALL,
  ws: ALL,
  'node:http2': ALL,
  'node:dgram': ALL,
  'node:http': ['request', 'get', 'Agent', 'globalAgent', ALL],
  'node:https': ['request', 'get', 'Agent', 'globalAgent', ALL],
  'node:net': ['connect', 'createConnection', 'Socket', ALL],
  'node:tls': ['connect', 'TLSSocket', ALL],
}

/** Who may open connections besides `core/egress`, and why that needs no guard. */
const DIALLERS: Readonly<Record<string, string>> = {
  'core/egress/': 'the guarded way out itself',
  'core/http/to-owner.ts': 'to replicas, whose addresses they wrote into our own database',
  'core/identity/postman.ts': 'to the mail server of the environment, which the operator alone sets',
  'core/cli/': 'on the machine of whoever types the command',
  'core/record/folder-lock.ts': 'a socket in our own folder, to see whether another process lives',
  'plugins/alert-email/': 'nodemailer on a socket that `dial` gave it',
}

interface ImportEntry {
  readonly isType: boolean
  readonly importName: { readonly name?: string | null }
}

/** What a file takes of modules that can dial, save types: `node:net connect`. */
export function dialsOf(from: string, entries: readonly ImportEntry[]): string[] {
  const dialling = DIALS[from] ?? DIALS[`node:${from}`]
  if (dialling === undefined) return []
  return entries
    .filter(({ isType }) => !isType)
    .map(({ importName }) => importName.name ?? ALL)
    .filter((name) => dialling === ALL || dialling.includes(name))
    .map((name) => `${from} ${name}`)
}

/** Collects what a file calls by a name of its own: parameters and what is taken out of objects. */
export function namesOf(own: Set<string>) {
  const take = (node: { readonly type: string; readonly name?: unknown } | null) => {
    if (node?.type === 'Identifier' && typeof node.name === 'string') own.add(node.name)
  }
  const takeParams = ({ params }: { readonly params: readonly unknown[] }) => {
    for (const param of params) take(param as Parameters<typeof take>[0])
  }
  return {
    FunctionDeclaration: takeParams,
    FunctionExpression: takeParams,
    ArrowFunctionExpression: takeParams,
    ObjectPattern: ({ properties }: { readonly properties: readonly unknown[] }) => {
      for (const entry of properties as readonly { type: string; value?: Parameters<typeof take>[0] }[])
        if (entry.type === 'Property') take(entry.value ?? null)
    },
  }
}

/** The one guarded way out is `core/egress`. */
export const oneWayOut = ({
  path,
  dials,
}: {
  readonly path: string
  readonly dials: readonly string[]
}): readonly string[] =>
  Object.keys(DIALLERS).some((place) => path.startsWith(place))
    ? []
    : dials.map((what) => `opens connections past core/egress: ${what}`)
