type Env = Readonly<Record<string, string | undefined>>

const PASSED = /^(?:PATH|HOME|USER|LOGNAME|SHELL|TERM|LANG|LANGUAGE|LC_[A-Z]+|TMPDIR|TZ)$/

/**
 * What a child sees: the few variables that any program needs, and the server's own. It is a list of what passes, not of
 * what is held back, so that no secret of the gateway can ever slip through.
 */
export function makeChildEnv(base: Env, own: Readonly<Record<string, string>>): Record<string, string> {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(base)) if (value !== undefined && PASSED.test(name)) env[name] = value
  return { ...env, ...own }
}
