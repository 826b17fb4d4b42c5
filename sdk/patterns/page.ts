import { PATTERN_GROUPS, PATTERNS } from '../patterns.js'

/** The tables of `docs/patterns.md`, one for each group, as Markdown. */
export function patternTables(): string {
  return PATTERN_GROUPS.map((group) => {
    const rows = PATTERNS.filter((pattern) => pattern.group === group).map(
      ({ id, title, ignoreCase, source }) =>
        `| \`${id}\` | ${title} | ${ignoreCase === true ? 'no' : 'yes'} | <${source}> |`,
    )
    return [`## ${group}`, '', '| id | finds | heeds case | told by |', '| --- | --- | --- | --- |', ...rows].join('\n')
  }).join('\n\n')
}
