import { definePlugin, type IdpDescription, type IdpInstance } from '@gatehouse/sdk'
import { z } from 'zod'
import { Provider } from './config.js'
import { createProviders, failureOf, type Providers } from './provider.js'
import { begin, complete } from './sign-in.js'
import { logout, notice } from './sign-out.js'

const KEY = 'idp-oidc'

export default definePlugin({
  id: KEY,
  sdk: '^0.1.0',
  config: z.strictObject({}),
  setup(context) {
    const providers = createProviders(context)
    const instance = { config: Provider, secret: ['clientSecret'] }
    context.serve('idp.begin', KEY, (asked) => begin(providers, asked), instance)
    context.serve('idp.complete', KEY, (asked) => complete(providers, asked))
    context.serve('idp.logout', KEY, (asked) => logout(providers, asked))
    context.serve('idp.notice', KEY, (asked) => notice(providers, asked))
    context.serve('idp.describe', KEY, ({ idp }) => describe(providers, idp))
  },
})

async function describe(providers: Providers, idp: IdpInstance): Promise<IdpDescription> {
  try {
    const { configuration, settled } = await providers.read(idp)
    const metadata = configuration.serverMetadata()
    return {
      ok: true,
      issuer: metadata.issuer,
      jwksUri: metadata.jwks_uri ?? null,
      backchannelLogout: metadata['backchannel_logout_supported'] === true,
      endSession: metadata.end_session_endpoint !== undefined,
      notes: settled.notes,
    }
  } catch (thrown) {
    return failureOf(thrown)
  }
}
