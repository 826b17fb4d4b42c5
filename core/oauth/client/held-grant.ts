import type { Bearer, Patience } from '../../domain/bearer.js'
import type { Identity } from '../../domain/nouns.js'
import type { Grant } from '../../domain/store.js'
import { GatehouseError } from '../../errors.js'
import type { Renewed } from './renewal.js'
import { readTokens, unionOf } from './tokens.js'

export interface HeldGrantOptions {
  readonly find: (identityId: string) => Promise<Grant | null>
  readonly renew: (identityId: string, version: number) => Promise<Renewed>
  readonly want: (identityId: string, scope: string, stepUps: number) => Promise<void>
  /** Told how renewing ends; it is awaited before callers hear of it, so that what they are told holds. */
  readonly onEnd: (identity: Identity, end: Renewed, isExpired: boolean) => Promise<void>
  readonly now: () => number
  readonly random: () => number
}

/** Renewed when so much of the lifetime is over, give or take. */
const AHEAD = 0.8
const JITTER = 0.1
const PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 60_000
/** So often somebody is asked to authorise for the same that the server goes on refusing. */
const MOST_STEP_UPS = 2
/** So much a server may ask for in all. */
const LONGEST_SCOPE = 4_000

interface Held {
  readonly grant: Grant
  readonly token: string
  readonly canRenew: boolean
  readonly renewAt: number
}

/** The tokens of one identity, as this replica holds them. */
export class HeldGrant implements Bearer {
  #held: Held | null = null
  /** Why nothing is to be had until somebody authorises. */
  #dead = false
  #stamp: string
  #work: Promise<void> | null = null
  #refused = 0
  #failures = 0
  #askAgainAt = 0

  constructor(
    private identity: Identity,
    private readonly options: HeldGrantOptions,
  ) {
    this.#stamp = identity.updatedAt
  }

  /** The identity as it stands: one that was changed since may have been authorised anew. */
  meet(identity: Identity): this {
    if (identity.updatedAt <= this.#stamp) return this
    this.identity = identity
    this.#stamp = identity.updatedAt
    this.#dead = false
    this.#held = null
    this.#askAgainAt = 0
    return this
  }

  get token(): string | null {
    return this.#held?.token ?? null
  }

  get version(): number {
    return this.#held?.grant.version ?? 0
  }

  /** What is under way; settles with it. */
  get settled(): Promise<void> {
    return (this.#work ?? Promise.resolve()).catch(() => undefined)
  }

  ready(patience: Patience): void | Promise<void> {
    if (this.#isGood()) {
      if (this.#isDue()) void this.#renew().catch(() => undefined)
      return
    }
    return this.#become(patience)
  }

  async renew(version: number, patience: Patience): Promise<boolean> {
    if (version !== this.version) return true
    if (this.#refused === version || this.#held === null) return false
    this.#refused = version
    await this.#within(this.#renew(), patience)
    return this.version !== version
  }

  async stepUp(asked: string | null): Promise<never> {
    const { slug } = this.identity
    const grant = await this.options.find(this.identity.id)
    const wanted = unionOf(grant?.scope, grant?.wantedScope, asked) ?? ''
    const before = grant?.wantedScope ?? null
    const isNew = before === null || wanted !== unionOf(grant?.scope, before)
    const stepUps = isNew ? 1 : (grant?.stepUps ?? 0) + (grant?.isTried ? 1 : 0)
    if (stepUps > MOST_STEP_UPS || wanted.length > LONGEST_SCOPE)
      throw new GatehouseError('GH_UPSTREAM_AUTH', {
        message: 'The server goes on refusing this call although access was given anew; ask its administrator',
        data: { httpStatus: 403 },
      })
    if (grant !== null) await this.options.want(this.identity.id, wanted, stepUps)
    throw connect('this call needs more access than was given', `step-up of ${slug}: ${wanted}`)
  }

  #isGood(): boolean {
    const held = this.#held
    if (held === null || this.#dead) return false
    return held.grant.expiresAt === null || this.options.now() < held.grant.expiresAt
  }

  #isDue(): boolean {
    const now = this.options.now()
    const held = this.#held
    return held !== null && held.canRenew && now >= held.renewAt && now >= this.#askAgainAt && this.#work === null
  }

  async #become(patience: Patience): Promise<void> {
    if (this.#dead) throw connect(EXPIRED)
    if (this.#held === null) await this.#within(this.#load(), patience)
    if (this.#isGood()) return
    if (this.options.now() < this.#askAgainAt) throw unreachable(this.identity)
    await this.#within(this.#renew(), patience)
    if (!this.#isGood()) throw this.#dead ? connect(EXPIRED) : unreachable(this.identity)
  }

  #load(): Promise<void> {
    return this.#alone(async () => {
      const stamp = this.#stamp
      const read = await this.options.find(this.identity.id)
      // Somebody may have authorised while it was read.
      const grant = stamp === this.#stamp ? read : await this.options.find(this.identity.id)
      if (grant === null) await this.#end({ kind: 'gone' })
      else this.#take(grant)
    })
  }

  #renew(): Promise<void> {
    return this.#alone(async () => {
      const held = this.#held
      if (held === null) return
      if (!held.canRenew) return this.#endUnrenewable(held)
      await this.#end(await this.options.renew(this.identity.id, held.grant.version))
    })
  }

  /** Another replica may hold newer ones all the same. */
  async #endUnrenewable({ grant }: Held): Promise<void> {
    const stored = await this.options.find(this.identity.id)
    if (stored !== null && stored.version !== grant.version) return this.#take(stored)
    await this.#end({ kind: 'dead', reason: 'the access has ended and cannot be renewed', grant })
  }

  async #end(end: Renewed): Promise<void> {
    if (end.kind === 'grant') {
      this.#failures = 0
      this.#askAgainAt = 0
      this.#take(end.grant)
    } else if (end.kind === 'later') {
      this.#askAgainAt = this.options.now() + Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** this.#failures)
      this.#failures += 1
    } else this.#dead = true
    await this.options.onEnd(this.identity, end, !this.#isGood())
  }

  #take(grant: Grant): void {
    const tokens = readTokens(grant.tokens)
    const canRenew = tokens.refresh !== null || tokens.assertion === true
    const { obtainedAt, expiresAt } = grant
    const share = AHEAD + JITTER * (this.options.random() - 0.5)
    const renewAt = expiresAt === null ? Infinity : obtainedAt + (expiresAt - obtainedAt) * share
    this.#held = { grant, token: tokens.access, canRenew, renewAt }
    this.#dead = false
  }

  /** One piece of work at a time; whoever comes meanwhile waits for that one. It ends whoever waits. */
  #alone(work: () => Promise<void>): Promise<void> {
    this.#work ??= work().finally(() => (this.#work = null))
    return this.#work
  }

  /** Waits no longer than the caller does; the work goes on for others (a rotated token must not be lost). */
  async #within(work: Promise<void>, { deadline, signal }: Patience): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    let onAbort = () => {}
    const given = new Promise<never>((_, reject) => {
      const late = () => reject(unreachable(this.identity))
      timer = setTimeout(late, Math.min(Math.max(0, deadline - Date.now()), 2_147_483_647))
      onAbort = late
      if (signal?.aborted) late()
      signal?.addEventListener('abort', onAbort, { once: true })
    })
    try {
      await Promise.race([work, given])
    } finally {
      work.catch(() => undefined)
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }
}

const EXPIRED = 'the access that was given has expired and must be given anew'

/** Whoever knows the way says where. */
const connect = (message: string, detail?: string): GatehouseError =>
  new GatehouseError('GH_FORWARD_CONNECT', { message, ...(detail === undefined ? {} : { detail }) })

const unreachable = ({ slug }: Identity): GatehouseError =>
  new GatehouseError('GH_UPSTREAM_SIGN_IN', { detail: `identity ${slug}`, data: { retryable: true } })
