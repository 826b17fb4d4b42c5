import { randomBytes, randomUUID } from 'node:crypto'
import { openDatabase } from '../../core/dist/db/data-source.js'
import { createStore } from '../../core/dist/db/repositories/store.js'
import { hashSecret } from '../../core/dist/identity/tokens.js'

export const SERVERS = 1_000
export const GATEWAYS = 500
export const TEAMS = 200
const ASSIGNMENTS = 4

/**
 * A house of so many people; all else is the same in every size. As many gateways are in use in each, one for each team: where
 * there are fewer people than teams, each of them has several tokens, and is in the teams that grant it.
 */
export async function openCrowd(url, users) {
  const quiet = { warn() {} }
  const dataSource = await openDatabase(url, { log: quiet, poolSize: 8 })
  const vault = { seal: (plain) => plain, openText: (sealed) => sealed }
  const store = createStore({ dataSource, vault })
  const each = Math.max(1, TEAMS / users)
  const tokens = Array.from({ length: users * each }, () => `API_${randomBytes(32).toString('base64url')}`)
  const host = randomUUID()
  await dataSource.query(THINGS.replaceAll('$servers', SERVERS).replaceAll('$gateways', GATEWAYS).replaceAll('$teams', TEAMS)
    .replaceAll('$assignments', ASSIGNMENTS).replaceAll('$users', users).replaceAll('$each', each).replaceAll('$host', host)) // prettier-ignore
  await dataSource.query(TOKENS, [tokens.map(hashSecret)])
  await dataSource.query('analyze')
  const rows = await dataSource.query(
    `select t.hash, g.slug from tokens t join connections c on c.id = t.connection_id join gateways g on g.id = c.gateway_id`,
  )
  const slugs = new Map(rows.map(({ hash, slug }) => [hash, slug]))
  const draws = tokens.map((token) => ({ authorization: `Bearer ${token}`, gateway: slugs.get(hashSecret(token)) }))
  return { users, store, draws, close: () => dataSource.destroy() }
}

const THINGS = `
insert into servers (id, slug, title, url, auth, protocol, managed_by)
  select gen_random_uuid(), 's' || n, 'Server ' || n, 'http://127.0.0.1:9/' || n, 'none', 'auto', 'api'
  from generate_series(1, $servers) n;
insert into teams (id, slug, title, managed_by)
  select gen_random_uuid(), 't' || n, 'Team ' || n, 'api' from generate_series(1, $teams) n;
insert into gateways (id, slug, title, prefix, capture, managed_by)
  select gen_random_uuid(), 'g' || n, 'Gateway ' || n, 'always', 'redacted', 'api' from generate_series(1, $gateways) n;
insert into gateway_teams (gateway_id, team_id)
  select g.id, t.id from generate_series(1, $gateways) n join gateways g on g.slug = 'g' || n
  join teams t on t.slug in ('t' || (n % $teams + 1), 't' || ((n * 7 + 3) % $teams + 1));
insert into assignments (id, gateway_id, server_id, position, scheme)
  select gen_random_uuid(), g.id, s.id, k, 'open' from generate_series(1, $gateways) n join gateways g on g.slug = 'g' || n
  cross join generate_series(0, $assignments - 1) k join servers s on s.slug = 's' || ((n * $assignments + k) % $servers + 1);
insert into users (id, email, name, role, managed_by)
  select gen_random_uuid(), 'u' || n || '@example.com', 'User ' || n, 'member', 'api' from generate_series(1, $users) n;
insert into team_members (team_id, user_id)
  select t.id, u.id from generate_series(1, $users) n join users u on u.email = 'u' || n || '@example.com'
  cross join generate_series(0, $each - 1) k join teams t on t.slug = 't' || ((n * $each + k) % $teams + 1);
insert into team_members (team_id, user_id)
  select t.id, u.id from generate_series(1, $users) n join users u on u.email = 'u' || n || '@example.com'
  join teams t on t.slug = 't' || ((n * 11 + 5) % $teams + 1) on conflict do nothing;
insert into hosts (id, slug, title, kind, managed_by) values ('$host', 'crowd', 'Crowd', 'token', 'api');
insert into connections (id, host_id, gateway_id, user_id, managed_by)
  select gen_random_uuid(), '$host', g.id, u.id, 'api' from generate_series(1, $users) n
  join users u on u.email = 'u' || n || '@example.com' cross join generate_series(0, $each - 1) k
  join gateways g on g.slug = 'g' || case (n * $each + k) % $teams when 0 then $teams else (n * $each + k) % $teams end;
`
const TOKENS = `insert into tokens (id, kind, hash, label, last_four, connection_id, managed_by)
  select gen_random_uuid(), 'access', h.hash, 'crowd', right(h.hash, 4), c.id, 'api'
  from unnest($1::text[]) with ordinality h (hash, n)
  join (select id, row_number() over (order by id) as n from connections) c on c.n = h.n`
