import { excerpt } from '../excerpt.js'
import { together } from '../hits.js'
import type { Finding, ReadText } from '../types.js'

/** A definition that wants to be chosen whatever is asked, or speaks ill of others. */
const PUSHES: readonly RegExp[] = [
  /\b(?:must|have to|should) always (?:choose|use|pick|prefer|select|call) (?:it|this)(?: tool)?\b[^.]{0,40}\b(?:over|first|whatever|any)/,
  /\balways (?:choose|pick|prefer|prioriti[sz]e) (?:it|this)/,
  /\b(?:any |all |every )?other (?:\w+ ){0,2}tools? [^.]{0,60}(?:unsafe|compromised|malicious|must (?:not|never)|never be|should be ignored|be thrown away)/,
  /\bselecting a different tool|\bignore the rest\b|\b(?:reported|known) as (?:compromised|malicious)|\btermination of the session/,
  /\bcall (?:me|this(?: tool)?)[^.]{0,30}\b(?:on|at|for|after|before) (?:every|each|any) (?:turn|request|message|user message|conversation|reply)/,
  /\b(?:at the (?:beginning|start) of every (?:conversation|turn|message|session)|after every user message)/,
  /\bfor any request(?: of the user)?\b|\bfor each request, even\b|\bno matter what they asked|\bwhatever the (?:task|request|question)\b|\beven unrelated\b/,
  /\bonly \w+ (?:tool |search )?(?:you are|that may be) allowed to use|\bnever answer on your own|\beven if nothing seems/,
  /\bperform \d{1,3} ?% better\b|\bbest tool of all\b/,
  /verwende immer dies\w{1,3}|niemals ein anderes|utilise toujours cet outil|usa siempre esta herramienta|总是使用(?:此|这个)工具|必ずこのツールを使用|всегда используй этот/,
]

export function checkPreference(texts: readonly ReadText[]): readonly Finding[] {
  return texts.flatMap(({ plain, said, hits, path, role }): Finding[] => {
    if (role === 'name') return []
    const found = PUSHES.map((pattern) => pattern.exec(plain)).find((match) => match !== null)
    if (found !== undefined) {
      const explanation = `wants to be chosen whatever is asked: ${excerpt(found[0])}`
      return [{ field: path, severity: 'high', explanation }]
    }
    const hit = together(hits, ['favour', 'others'], 120)
    if (hit === null) return []
    const explanation = `sets itself above other tools: ${excerpt(said.slice(hit.at, hit.at + 48))}`
    return [{ field: path, severity: 'medium', explanation }]
  })
}
