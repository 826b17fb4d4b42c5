import { createHash, randomBytes } from 'node:crypto'
import { Pool } from 'pg'
import type { RunningGateway } from '../gateway.js'

/** A person's browser, without a screen: keeps cookies by site, follows redirects by hand. */
export interface Person {
  readonly email: string
  get(url: string): Promise<Shown>
  /** Goes to an address and on, but stops before one that begins so, and tells it. */
  follow(url: string, prefix: string): Promise<string>
  /** Sends the form of a page that was shown, with these fields added. */
  /** The same, but stops before it goes to an address that begins so, and tells it. */
  until(page: Shown, prefix: string): Promise<string>
  submit(page: Shown, fields?: Readonly<Record<string, string>>, form?: number): Promise<Shown>
}

/** Where the browser ended up. */
export interface Shown {
  readonly url: string
  readonly status: number
  readonly text: string
  /** All addresses on the way. */
  readonly way: readonly string[]
}

/** Signed in to the gateway as someone who exists there. */
export async function personOf(gateway: RunningGateway, email: string): Promise<Person> {
  const secret = randomBytes(32).toString('base64url')
  const pool = new Pool({ connectionString: gateway.databaseUrl ?? '', max: 1 })
  const { rowCount } = await pool.query(
    `insert into console_sessions (id_hash, user_id, method) select $1, id, 'password' from users where email = $2`,
    [createHash('sha256').update(secret).digest('hex'), email],
  )
  await pool.end()
  if (rowCount !== 1) throw new Error(`no user ${email}`)
  return browserOf(email, { [new URL(gateway.url).host]: { gh_session: secret } })
}

/** Nobody whom the gateway knows. */
export const stranger = (): Person => browserOf('nobody', {})

function browserOf(email: string, jar: Record<string, Record<string, string>>): Person {
  const visit = async (first: string, init: RequestInit, stopAt?: string): Promise<Shown> => {
    const way: string[] = []
    let [url, how] = [first, init]
    for (let hops = 0; hops < 20; hops++) {
      way.push(url)
      const own = (jar[new URL(url).host] ??= {})
      const cookie = Object.entries(own)
        .map(([name, value]) => `${name}=${value}`)
        .join('; ')
      const response = await fetch(url, { ...how, redirect: 'manual', headers: { ...how.headers, cookie } })
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) delete own[name]
        else own[name] = value
      }
      const to = response.headers.get('location')
      if (to === null) return { url, status: response.status, text: await response.text(), way }
      url = new URL(to, url).href
      if (stopAt !== undefined && url.startsWith(stopAt)) return { url, status: 0, text: '', way }
      how = {}
    }
    throw new Error(`sent round and round: ${way.join(' ')}`)
  }
  const send = (page: Shown, fields: Readonly<Record<string, string>>, form: number, stopAt?: string) => {
    const [, action = '', body = ''] =
      [...page.text.matchAll(/<form[^>]*action="([^"]*)"[^>]*>(.*?)<\/form>/gs)][form] ?? []
    const hidden = [...body.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
    const sent = new URLSearchParams({
      ...Object.fromEntries(hidden.map(([, name, value]) => [name, value])),
      ...fields,
    })
    return visit(new URL(action.replaceAll('&amp;', '&'), page.url).href, { method: 'POST', body: sent }, stopAt)
  }
  return {
    email,
    get: (url) => visit(url, {}),
    follow: async (url, prefix) => (await visit(url, {}, prefix)).url,
    submit: (page, fields = {}, form = 0) => send(page, fields, form),
    until: async (page, prefix) => (await send(page, {}, 0, prefix)).url,
  }
}
