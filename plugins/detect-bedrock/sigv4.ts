import { createHash, createHmac } from 'node:crypto'

/** Keys of an AWS account or role; a session token comes with the keys of a role. */
export interface AwsKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

export interface Signable {
  readonly method: string
  readonly url: string
  /** In lower case, without `host`. All of them are signed. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Scope {
  readonly region: string
  readonly service: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/**
 * The headers of a request with the signature of AWS among them (Signature Version 4, "Create a signed AWS API request"). The
 * path is encoded once more than it stands in the URL, as every service but S3 wants it.
 */
export function sign(request: Signable, keys: AwsKeys, { region, service, now }: Scope): Record<string, string> {
  const time = new Date(now).toISOString().replaceAll(/[-:]|\.\d{3}/g, '')
  const { sessionToken } = keys
  const headers = {
    ...request.headers,
    'x-amz-date': time,
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
  }
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`
  const { text, names } = canonicalRequest(request, headers)
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(text)].join('\n')
  const parts = [time.slice(0, 8), region, service, 'aws4_request']
  const key = parts.reduce<Buffer | string>((secret, part) => hmac(secret, part), `AWS4${keys.secretAccessKey}`)
  const signature = hmac(key, toSign).toString('hex')
  const authorization = `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
  return { ...headers, authorization }
}

function canonicalRequest({ method, url, body }: Signable, headers: Readonly<Record<string, string>>) {
  const { host, pathname, searchParams } = new URL(url)
  const all = Object.entries({ ...headers, host }).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const names = all.map(([name]) => name).join(';')
  const lines = all.map(([name, value]) => `${name}:${value.trim().replaceAll(/ +/g, ' ')}\n`).join('')
  const path = pathname.split('/').map(encode).join('/')
  const query = [...searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join('&')
  return { text: [method, path, query, lines, names, sha256(body)].join('\n'), names }
}

/** RFC 3986: all but the unreserved characters. */
const encode = (text: string) =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text).digest()
