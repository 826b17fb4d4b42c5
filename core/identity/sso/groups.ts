/** Which teams a person enters and leaves. Only teams that some group is mapped to are ever named. */
export function teamChanges(
  mapping: Readonly<Record<string, string>>,
  groups: readonly string[],
  now: readonly string[],
): { readonly join: readonly string[]; readonly leave: readonly string[] } {
  const wanted = new Set(groups.flatMap((group) => (Object.hasOwn(mapping, group) ? [mapping[group] as string] : [])))
  const mapped = new Set(Object.values(mapping))
  return {
    join: [...wanted].filter((team) => !now.includes(team)),
    leave: now.filter((team) => mapped.has(team) && !wanted.has(team)),
  }
}
