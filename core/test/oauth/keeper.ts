/** What an SDK client keeps of its sign-in: the same shape in both generations. */
export interface Kept {
  // oxlint-disable-next-line typescript/no-explicit-any
  tokens: any
  // oxlint-disable-next-line typescript/no-explicit-any
  client: any
  readonly opened: URL[]
}

export function keeper(redirectUrl: string) {
  const kept: Kept = { tokens: undefined, client: undefined, opened: [] }
  let verifier = ''
  let discovered: unknown
  const provider = {
    redirectUrl,
    clientMetadata: {
      client_name: 'SDK client',
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    state: () => 'a-state',
    clientInformation: () => kept.client,
    saveClientInformation: (given: unknown) => void (kept.client = given),
    tokens: () => kept.tokens,
    saveTokens: (given: unknown) => void (kept.tokens = given),
    redirectToAuthorization: (url: URL) => void kept.opened.push(url),
    saveCodeVerifier: (given: string) => void (verifier = given),
    codeVerifier: () => verifier,
    saveDiscoveryState: (given: unknown) => void (discovered = given),
    discoveryState: () => discovered as never,
  }
  return { kept, provider }
}
