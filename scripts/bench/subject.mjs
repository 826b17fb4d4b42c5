/** What the messages of a benchmark without a gateway are about. */
const CONTEXT = {
  correlationId: '01890000-0000-7000-8000-000000000000',
  method: 'tools/call',
  rpcId: 1,
  era: 'modern',
  gateway: { id: 'g', slug: 'bench' },
  server: { id: 's', slug: 'echo' },
  feature: { kind: 'tool', name: 'echo' },
  user: { id: 'u', email: 'user@example.com' },
  host: { id: 'h', name: 'bench' },
  connection: { id: 'c' },
  attributes: {},
}
export const SUBJECT = {
  prefix: 'echo',
  serverSlug: 'echo',
  kind: 'tool',
  feature: 'echo',
  context: () => CONTEXT,
  header: () => undefined,
}
