import type { LibraryPattern } from './pattern.js'

const secret = (entry: Omit<LibraryPattern, 'group'>): LibraryPattern => ({ ...entry, group: 'secrets' })

/** Keys of databases and of what watches over systems, and the forms that belong to no vendor. */
export const DATA_SECRETS: readonly LibraryPattern[] = [
  secret({
    id: 'databricks-token',
    title: 'Databricks personal access token',
    pattern: '\\bdapi[0-9a-f]{32}(?:-[0-9])?\\b',
    literals: ['dapi'],
    source: 'https://docs.databricks.com/aws/en/dev-tools/auth/pat',
  }),
  secret({
    id: 'planetscale-token',
    title: 'PlanetScale token or password',
    pattern: '\\bpscale_(?:tkn|pw|oauth)_[\\w.=-]{32,64}',
    literals: ['pscale_'],
    source: 'https://planetscale.com/docs/api/reference/service-tokens',
  }),
  secret({
    id: 'supabase-key',
    title: 'Supabase access token or secret key',
    pattern: '\\b(?:sbp_[0-9a-f]{40}|sb_secret_[\\w-]{22,})',
    literals: ['sbp_', 'sb_secret_'],
    source: 'https://supabase.com/docs/guides/api/api-keys',
  }),
  secret({
    id: 'neon-key',
    title: 'Neon API key',
    pattern: '\\bnapi_[a-z0-9]{64}\\b',
    literals: ['napi_'],
    source: 'https://neon.com/docs/manage/api-keys',
  }),
  secret({
    id: 'mongodb-atlas-secret',
    title: 'MongoDB Atlas service account secret',
    pattern: '\\bmdb_sa_sk_[\\w-]{40}',
    literals: ['mdb_sa_sk_'],
    source: 'https://www.mongodb.com/docs/atlas/api/service-accounts-overview/',
  }),
  secret({
    id: 'new-relic-key',
    title: 'New Relic user, browser or insert key',
    pattern: '\\b(?:NRAK-[A-Z0-9]{27}|NRJS-[0-9a-f]{19}|NRI[IQ]-[\\w-]{32})',
    literals: ['NRAK-', 'NRJS-', 'NRII-', 'NRIQ-'],
    source: 'https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/',
  }),
  secret({
    id: 'new-relic-license',
    title: 'New Relic licence key',
    pattern: '\\b[0-9a-f]{36}NRAL\\b',
    literals: ['NRAL'],
    at: [36],
    source: 'https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/',
  }),
  secret({
    id: 'grafana-token',
    title: 'Grafana service account or cloud token',
    pattern: '\\b(?:glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}|glc_[A-Za-z0-9+/]{40,}={0,2})',
    literals: ['glsa_', 'glc_'],
    source: 'https://grafana.com/docs/grafana/latest/administration/service-accounts/',
  }),
  secret({
    id: 'sentry-token',
    title: 'Sentry auth token',
    pattern: '\\b(?:sntrys_eyJ[A-Za-z0-9+/=]{20,}_[A-Za-z0-9+/]{43}|sntryu_[0-9a-f]{64})',
    literals: ['sntrys_', 'sntryu_'],
    source: 'https://docs.sentry.io/account/auth-tokens/',
  }),
  secret({
    id: 'dynatrace-token',
    title: 'Dynatrace token',
    pattern: '\\bdt0[a-z][0-9]{2}\\.[A-Z0-9]{24}\\.[A-Z0-9]{64}\\b',
    literals: ['dt0'],
    source: 'https://docs.dynatrace.com/docs/dynatrace-api/basics/dynatrace-api-authentication',
  }),
  secret({
    id: 'okta-token',
    title: 'Okta API token behind its scheme',
    pattern: '\\bSSWS 00[\\w-]{40}',
    literals: ['SSWS 00'],
    check: 'behindLabel',
    source: 'https://developer.okta.com/docs/guides/create-an-api-token/',
  }),
  secret({
    id: 'age-secret-key',
    title: 'age secret key',
    pattern: '\\bAGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}\\b',
    literals: ['AGE-SECRET-KEY-1'],
    source: 'https://github.com/FiloSottile/age',
  }),
  secret({
    id: 'private-key',
    title: 'Private key in PEM or OpenPGP armour',
    pattern:
      '-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\\\\[nr]|[ \\t\\r\\n])*(?:[A-Za-z-]+: [^\\n]{0,48}\\n){0,3}' +
      '(?:\\\\[nr]|[ \\t\\r\\n])*[A-Za-z0-9+/=]{20}[A-Za-z0-9+/=\\\\ \\t\\r\\n]*(?:-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----)?',
    literals: ['-----BEGIN '],
    source: 'https://www.rfc-editor.org/rfc/rfc7468',
  }),
  secret({
    id: 'jwt',
    title: 'JSON Web Token',
    pattern: '(?:^|[^\\w-])eyJ[\\w-]{10,}\\.eyJ[\\w-]{10,}\\.[\\w-]{16,}',
    literals: ['eyJ'],
    at: [1, 0],
    check: 'behindSign',
    source: 'https://www.rfc-editor.org/rfc/rfc7519',
  }),
  secret({
    id: 'url-password',
    title: 'Password in a URL',
    pattern: '://[^\\s:@/?#"\'<>]*:[^\\s:@/"\'<>]{4,}@[A-Za-z0-9[]',
    literals: ['://'],
    check: 'urlPassword',
    source: 'https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1',
  }),
]
