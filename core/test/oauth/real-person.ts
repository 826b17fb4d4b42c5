import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { OauthHouse } from './house.js'

/** Somebody in front of a real browser, signed in to the console there. */
export interface RealPerson {
  /** Opens what an AI client wants opened and allows it; answers where the browser ended. */
  allow(url: string): Promise<string>
  readonly context: BrowserContext
  close(): Promise<void>
}

export async function realPerson(house: OauthHouse, chromium: Browser, email: string): Promise<RealPerson> {
  const context = await chromium.newContext()
  const jar = await house.person(email)
  const { value = '' } = jar.cookies.find(({ name }) => name === 'gh_session') ?? {}
  await context.addCookies([{ name: 'gh_session', value, url: house.url, httpOnly: true, sameSite: 'Lax' }])
  return {
    context,
    async allow(url) {
      const page = await context.newPage()
      await page.goto(url)
      await pressAllow(page)
      const ended = page.url()
      await page.close()
      return ended
    },
    close: () => context.close(),
  }
}

async function pressAllow(page: Page): Promise<void> {
  const further = page.getByRole('button', { name: 'Continue' })
  if (await further.isVisible()) {
    await page.getByLabel('Engineering').check()
    await further.click()
  }
  await page.getByRole('button', { name: /^Allow/ }).click()
  await page.waitForURL((at) => at.searchParams.has('code') || at.searchParams.has('error'))
}

/** Where an AI client on this machine waits for its person to come back. */
export async function callbackServer() {
  const waiting: ((params: URLSearchParams) => void)[] = []
  const server = createServer((req, res) => {
    const url = new URL(req.url ?? '/', 'http://localhost')
    res.end('You may close this window.')
    if (url.searchParams.has('code')) waiting.shift()?.(url.searchParams)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`,
    next: () => new Promise<URLSearchParams>((resolve) => void waiting.push(resolve)),
    stop: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
  }
}
