import type { RunningGateway } from '../gateway.js'
import { openBrowser, type Shown, type TestBrowser } from '../people.js'
import type { TestProvider } from './provider.js'

/** One person's browser: what it keeps of the gateway and of the provider. */
export interface Walker {
  readonly here: TestBrowser
  readonly there: TestBrowser
}

export const newWalker = (gateway: Pick<RunningGateway, 'url'>, provider: TestProvider): Walker => ({
  here: openBrowser(gateway.url),
  there: openBrowser(provider.issuer),
})

/** Goes out to the provider and signs in there; answers where the provider sends the browser back to. */
export async function goOut({ here, there }: Walker, start: string, login: string): Promise<URL> {
  const out = await here.get(start)
  if (out.location === null) throw new Error(`${start} leads nowhere: ${out.status} ${out.text.slice(-400)}`)
  const { pathname, search } = new URL(out.location)
  const shown = await there.get(pathname + search)
  const back = shown.location ?? (await there.submit(shown.path, { login })).location
  if (back === null) throw new Error(`the provider does not send back: ${shown.text.slice(-400)}`)
  return new URL(back)
}

/** The whole way: out, and back to where it ends. */
export async function signInThere(walker: Walker, start: string, login: string): Promise<Shown> {
  const back = await goOut(walker, start, login)
  return walker.here.get(back.pathname + back.search)
}
