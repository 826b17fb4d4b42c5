import { isLoopback } from '../domain/loopback.js'
import { createTransport } from 'nodemailer'

export interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** Sends mail in plain text. Rejects when the mail server does not take it. */
export type Postman = (mail: Mail) => Promise<void>

/** TLS is verified, and needed for all but this machine: what is sent opens accounts. */
export function createPostman({ url, from }: { readonly url: string; readonly from: string }): Postman {
  const server = new URL(url)
  // Options in the query could switch the checks off again.
  server.search = ''
  const transport = createTransport(
    {
      url: server.href,
      requireTLS: !isLoopback(server.hostname),
      connectionTimeout: 10_000,
      greetingTimeout: 10_000,
      socketTimeout: 20_000,
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from },
  )
  return async ({ to, subject, text }) => {
    // As an object, the address is taken as it is and never as a list.
    await transport.sendMail({ to: { name: '', address: to }, subject, text })
  }
}
