/** A browser without scripts: a jar of cookies, pages and forms. */
export interface TestBrowser {
  /** Follows redirects as long as they stay at the gateway; what leads elsewhere is answered as `leftFor`. */
  get(url: string): Promise<Page>
  /** Sends a form of a page as a person would, with the button that has this text. */
  press(page: Page, button: string, fields?: Readonly<Record<string, string>>): Promise<Page>
  post(url: string, fields: URLSearchParams, headers?: Readonly<Record<string, string>>): Promise<Page>
  setCookie(name: string, value: string, path?: string): void
  readonly cookies: readonly Cookie[]
}

export interface Page {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Where a redirect leads that the gateway does not answer itself: the AI client. */
  readonly leftFor: URL | null
}

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
}
const unescape = (text: string) => text.replace(/&(amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity)
const attribute = (tag: string, name: string): string | null => {
  const match = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)
  return match === null ? null : unescape(match[1] ?? '')
}

export function createTestBrowser(home: string): TestBrowser {
  const jar = new Map<string, Cookie>()

  const keep = (headers: Headers, url: URL) => {
    for (const line of headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(/;\s*/)
      const at = pair.indexOf('=')
      const of = (name: string) =>
        attributes.find((one) => one.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1)
      const path = of('path') ?? (url.pathname.replace(/\/[^/]*$/, '') || '/')
      const cookie = { name: pair.slice(0, at), value: pair.slice(at + 1), path }
      const isOver = of('max-age') === '0' || new Date(of('expires') ?? '9999').getTime() < Date.now()
      if (isOver || cookie.value === '') jar.delete(`${cookie.name} ${path}`)
      else jar.set(`${cookie.name} ${path}`, cookie)
    }
  }
  // Longer paths first, as browsers do: a newer signature at `/` would otherwise hide the right one.
  const cookieHeader = ({ pathname }: URL) =>
    [...jar.values()]
      .filter(({ path }) => pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`))
      .toSorted((a, b) => b.path.length - a.path.length)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')

  const visit = async (to: string, init: RequestInit = {}): Promise<Page> => {
    let url = new URL(to, home)
    let request = init
    for (let hops = 0; hops < 20; hops += 1) {
      const headers = { accept: 'text/html', ...(request.headers as Record<string, string>), cookie: cookieHeader(url) }
      const response = await fetch(url, { ...request, headers, redirect: 'manual' })
      keep(response.headers, url)
      const location = response.headers.get('location')
      if (location === null || response.status < 300 || response.status > 399)
        return { url: url.href, ...rest(response), text: await response.text(), leftFor: null }
      const next = new URL(location, url)
      if (next.origin !== new URL(home).origin) return { url: url.href, ...rest(response), text: '', leftFor: next }
      url = next
      request = {}
    }
    throw new Error(`redirects without end at ${url.href}`)
  }

  const post: TestBrowser['post'] = (url, fields, headers = {}) =>
    visit(url, {
      method: 'POST',
      body: fields.toString(),
      headers: { ...FORM, origin: new URL(home).origin, ...headers },
    })

  return {
    get: (url) => visit(url),
    post,
    async press(page, button, given = {}) {
      const form = formWith(page, button)
      const fields = new URLSearchParams({ ...form.fields, ...given })
      const action = new URL(form.action ?? page.url, page.url)
      if (form.method === 'post') return post(action.href, fields)
      action.search = fields.toString()
      return visit(action.href)
    },
    setCookie: (name, value, path = '/') => void jar.set(`${name} ${path}`, { name, value, path }),
    get cookies() {
      return [...jar.values()]
    },
  }
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const rest = ({ status, headers }: Response) => ({ status, headers })

/** The form that has the button, with what its fields hold; the first radio of each name is chosen. */
function formWith(page: Page, button: string) {
  for (const [whole, open = '', inside = ''] of page.text.matchAll(/(<form[^>]*>)([^]*?)<\/form>/g)) {
    const pressed = [...inside.matchAll(/(<button[^>]*>)([^<]*)<\/button>/g)].find(
      ([, , text]) => text?.trim() === button,
    )
    if (pressed === undefined) continue
    const fields: Record<string, string> = {}
    for (const [tag] of inside.matchAll(/<input[^>]*>/g)) {
      const name = attribute(tag, 'name')
      if (name !== null && !(name in fields)) fields[name] = attribute(tag, 'value') ?? ''
    }
    const name = attribute(pressed[1] ?? '', 'name')
    if (name !== null) fields[name] = attribute(pressed[1] ?? '', 'value') ?? ''
    return { whole, action: attribute(open, 'action'), method: attribute(open, 'method') ?? 'get', fields }
  }
  throw new Error(`no button '${button}' at ${page.url} (${page.status}): ${page.text.slice(0, 2_000)}`)
}
