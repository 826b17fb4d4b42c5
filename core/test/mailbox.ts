import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'
import { until } from './until.js'

export interface Mailbox {
  /** As `GATEHOUSE_SMTP_URL`. */
  readonly url: string
  /** Every mail that came in, as it was sent. */
  readonly mails: readonly string[]
  /** The nth mail, once it is there. */
  mail(n: number): Promise<string>
  stop(): Promise<void>
}

/** A real mail server on this machine, without TLS. */
export async function openMailbox(): Promise<Mailbox> {
  const mails: string[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData: (stream, _session, done) =>
      void text(stream).then((mail) => {
        mails.push(mail)
        done()
      }),
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    mails,
    mail: (n) => until(`mail ${n} is there`, () => mails[n]),
    stop: () => new Promise((resolve) => server.close(resolve)),
  }
}
