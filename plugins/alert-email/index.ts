import { definePlugin } from '@gatehouse/sdk'
import type { AlertDelivery, DeliveryAnswer, HookCall, PluginContext } from '@gatehouse/sdk'
import { createTransport } from 'nodemailer'
import { z } from 'zod'
import { mailOf } from './mail.js'

const STEP_MS = 10_000
const address = z
  .string()
  .max(254)
  .regex(/^[^\s@<>",;:\\[\]()]+@[A-Za-z0-9.-]+$/, 'must be an e-mail address')

/** One target. */
const Target = z
  .strictObject({
    host: z
      .string()
      .max(253)
      .regex(/^[A-Za-z0-9.:-]+$/, 'must be a name or an address'),
    port: z.int().min(1).max(65_535).default(587),
    /** `starttls`: begins in the clear and must become TLS; `tls`: from the first byte, by default on port 465. */
    tls: z.enum(['starttls', 'tls', 'none']).optional(),
    /** PEM of the authority of a mail server of one's own, in the place of the public ones. */
    ca: z.string().max(65_536).optional(),
    user: z.string().min(1).max(256).optional(),
    password: z.string().min(1).max(1_024).optional(),
    from: address,
    to: z.array(address).min(1).max(50),
  })
  .refine(({ user, password }) => (user === undefined) === (password === undefined), {
    path: ['password'],
    error: 'user and password come together',
  })
type Target = z.output<typeof Target>

export default definePlugin({
  id: 'alert-email',
  sdk: '^0.1.0',
  config: z.strictObject({}),
  setup(context) {
    context.serve('alert.deliver', 'alert-email', (delivery, call) => deliver(context, delivery, call), {
      config: Target,
      secret: ['password'],
    })
  },
})

async function deliver(
  context: PluginContext<object>,
  delivery: AlertDelivery,
  call: HookCall,
): Promise<DeliveryAnswer> {
  const target = Target.parse(delivery.target.config)
  try {
    const socket = await dial(context, target, call.signal)
    const hangUp = () => void socket.destroy()
    call.signal.addEventListener('abort', hangUp, { once: true })
    try {
      const { rejected } = await transportOver(socket, target).sendMail(letter(target, delivery))
      if (rejected.length > 0)
        context.log.warn({ target: delivery.target.name, refused: rejected.length }, 'some addresses were refused')
      return { kind: 'delivered' }
    } finally {
      call.signal.removeEventListener('abort', hangUp)
      hangUp()
    }
  } catch (error) {
    return answerOf(error)
  }
}

type Socket = Awaited<ReturnType<PluginContext<object>['dial']>>

const tlsOf = ({ tls, port }: Target) => tls ?? (port === 465 ? 'tls' : 'starttls')

/** The transport makes TLS itself, and verifies it, before a password or a word of the mail is sent. */
function dial(context: PluginContext<object>, target: Target, signal: AbortSignal): Promise<Socket> {
  const { host, port } = target
  return context.dial({ host, port, tls: tlsOf(target) === 'none' ? false : 'starttls', signal })
}

function transportOver(socket: Socket, target: Target) {
  const { host, port, ca, user, password } = target
  const tls = tlsOf(target)
  return createTransport({
    ...{ host, port, secure: tls === 'tls', requireTLS: tls === 'starttls', ignoreTLS: tls === 'none' },
    ...(user === undefined || password === undefined ? {} : { auth: { user, pass: password } }),
    ...(ca === undefined ? {} : { tls: { ca } }),
    ...{ connectionTimeout: STEP_MS, greetingTimeout: STEP_MS, socketTimeout: STEP_MS },
    ...{ disableFileAccess: true, disableUrlAccess: true },
    getSocket: (_, give) => give(null, { connection: socket }),
  })
}

function letter({ from, to }: Target, delivery: AlertDelivery) {
  const { id, service } = delivery
  return {
    from: { name: 'Gatehouse', address: from },
    // As objects, addresses are taken as they are and never as lists.
    to: to.map((one) => ({ name: '', address: one })),
    // The same at every try, so that a repeat is known as one.
    messageId: `<${id}@${from.split('@')[1]}>`,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Mailer': `${service.name}/${service.version}` },
    ...mailOf(delivery),
  }
}

/** A mail server says with 5xx what will never be (RFC 5321, section 4.2.1); everything else may be better later. */
function answerOf(error: unknown): DeliveryAnswer {
  const { responseCode, message } = error as { readonly responseCode?: unknown; readonly message?: unknown }
  const words = typeof message === 'string' ? message.replaceAll(/[\s\p{Cc}]+/gu, ' ').slice(0, 300) : 'It failed.'
  const status = typeof responseCode === 'number' ? { status: responseCode } : {}
  const isFinal = typeof responseCode === 'number' && responseCode >= 500 && responseCode < 600
  return { kind: isFinal ? 'rejected' : 'retry', message: words, ...status }
}
