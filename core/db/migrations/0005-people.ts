import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Who has been asked to join and has not come yet, and who has ever signed in. */
export const PEOPLE_SQL = `
-- Who has ever signed in, and when last: it stays when the sessions have gone.
create table arrivals (
  user_id uuid primary key constraint arrivals_user references users on delete cascade,
  last_at timestamptz not null default clock_timestamp()
);

create table invitations (
  user_id uuid primary key constraint invitations_user references users on delete cascade,
  invited_by uuid constraint invitations_inviter references users on delete set null,
  -- Whether the last link went out by mail; else somebody has copied it.
  mailed boolean not null,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null
);
create index invitations_by_inviter on invitations (invited_by);
`

export class People1795651200005 implements MigrationInterface {
  readonly name = 'People1795651200005'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(PEOPLE_SQL)
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only: restore a backup instead')
  }
}
