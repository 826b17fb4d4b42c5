import type { IdpDescription, IdpEnded, IdpFailure, IdpInstance, IdpPerson, IdpRedirect } from '@gatehouse/sdk'
import type { Idp } from '../../domain/nouns.js'
import type { Bus } from '../../hooks/bus.js'

/** What identity providers are asked, through their plugins. Nothing here throws for a provider or a plugin that fails. */
export interface IdpAsks {
  begin(idp: Idp, asked: { redirectUri: string; state: string; loginHint: string | null }): Promise<IdpRedirect>
  complete(idp: Idp, asked: { callbackUrl: string; state: string; kept: string }): Promise<IdpPerson | IdpFailure>
  /** Where to sign out there, too; null when there is no such place, or it cannot be found out. */
  logout(idp: Idp, asked: { idToken: string | null; returnTo: string }): Promise<string | null>
  notice(idp: Idp, token: string): Promise<IdpEnded>
  describe(idp: Idp): Promise<IdpDescription>
}

export interface IdpAsksOptions {
  readonly bus: Pick<Bus, 'keyed'>
  /** The plugin's own keys with their secrets. */
  readonly configOf: (idp: Idp) => Promise<Readonly<Record<string, unknown>>>
}

export function createIdpAsks({ bus, configOf }: IdpAsksOptions): IdpAsks {
  const instance = async (idp: Idp): Promise<IdpInstance> => ({
    id: idp.id,
    slug: idp.slug,
    config: await configOf(idp),
  })
  return {
    async begin(idp, asked) {
      const settled = await bus.keyed('idp.begin', idp.plugin)?.ask({ idp: await instance(idp), ...asked })
      return settled?.ok ? settled.value : broken(idp, settled?.fault)
    },
    async complete(idp, asked) {
      const settled = await bus.keyed('idp.complete', idp.plugin)?.ask({ idp: await instance(idp), ...asked })
      return settled?.ok ? settled.value : broken(idp, settled?.fault)
    },
    async logout(idp, asked) {
      const settled = await bus.keyed('idp.logout', idp.plugin)?.ask({ idp: await instance(idp), ...asked })
      return settled?.ok ? settled.value.url : null
    },
    async notice(idp, token) {
      const settled = await bus.keyed('idp.notice', idp.plugin)?.ask({ idp: await instance(idp), token })
      return settled?.ok ? settled.value : { kind: 'notMine' }
    },
    async describe(idp) {
      const settled = await bus.keyed('idp.describe', idp.plugin)?.ask({ idp: await instance(idp) })
      return settled?.ok ? settled.value : broken(idp, settled?.fault)
    },
  }
}

function broken({ plugin }: Idp, fault: { readonly failure: string } | undefined): IdpFailure {
  const reason =
    fault === undefined ? `no plugin '${plugin}' is loaded` : `the plugin '${plugin}' failed: ${fault.failure}`
  return { ok: false, failure: 'unavailable', reason }
}
