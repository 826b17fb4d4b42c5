import { excerpt } from '../excerpt.js'
import type { Finding, ReadText } from '../types.js'

const TELL =
  '(?:tell|inform|mention|show|reveal|display|disclose|notify|discuss(?:ing)?|explain|bother|say|telling|informing|mentioning|showing|revealing|notifying|refer)'
const WHO = '(?:users?|human|anyone|anybody|person|them|people)'

/** What keeps a person in the dark. */
const SECRECY: readonly RegExp[] = [
  new RegExp(
    `\\b(?:do not|don.t|never|must not|mustn.t|should not|refrain from|without|not to|no need to|avoid|so do not) (?:\\w+[, ]{1,2}){0,4}${TELL}\\b[^.]{0,60}\\b${WHO}\\b`,
  ),
  new RegExp(`\\b(?:do not|don.t|never|must not|without) ${TELL} (?:this|it|that|of it|about)\\b`),
  new RegExp(
    `\\b${WHO} (?:must|should|may|need|will|can|shall)(?: ?not|n.t| never) (?:see|know|learn|notice|find|be (?:aware|told|informed)|realise|realize)`,
  ),
  /\b(?:secretly|silently|quietly|covertly|stealthily|discreetly|unnoticed) (?:call|send|store|read|upload|forward|copy|attach|keep|add|save|include|collect|run|do)/,
  /\b(?:do (?:it|that|so|this)|keep[^.]{0,60}|load|type|lookup|beforehand|stored?|everything they type),? (?:silent(?:ly)?|quietly|secret(?:ly)?|in the background|covertly)\b/,
  /\b(?:hide|conceal|leave|keep|omit)\b[^.]{0,60}\b(?:from (?:the user|any|your|view|them)|out of (?:your|the) (?:reply|answer|summary|response|conversation))/,
  /\bno need to (?:show|mention|tell|explain)|\bmake no (?:reference|mention)|\bwithout a word\b|\bnever mention\b|\bso that they do not notice\b|\bdo not notice\b/,
  /\bas (?:though|if) (?:only|the tool (?:was|were|had) (?:never|not)|nothing (?:was|were|had))|\byour (?:response|answer|reply) should look\b/,
  /\b(?:do not|never|don.t) (?:display|log)[^.]{0,30}(?:or otherwise )?reveal|\bagents must not reveal\b|\bwithout telling anyone\b/,
  /\b(?:do not|don.t) tell\b|don.t show this to|\bif asked, say\b|\bdiscard the answer\b/,
  // Other languages
  /不要告诉|别告诉|不得告知|不要向用户|对用户保密|知らせない|伝えない|言わない|教えない|не (?:сообщай|говори|рассказывай|упоминай)|(?:erwähne|verrate|sag|sage|erzähle|zeige|teile)\b[^.]{0,60}\b(?:nicht|nichts)\b|(?:nichts|nicht)[^.]{0,40}\b(?:benutzer|nutzer)\b[^.]{0,40}\b(?:sagen|verraten|erwähnen)/,
  /n.en (?:parle|parlez)|ne (?:le |la |les )?(?:dis|dites|mentionne|mentionnez|révèle|révélez|montre)\b[^.]{0,20}\bpas|\bno (?:le |se lo )?(?:digas|diga|menciones|reveles|muestres|informes)|\bnão (?:mencione|diga|conte|informe|revele|mostre)|\bnon (?:dire|dirlo|rivelare|menzionare|mostrare|informare)/,
  /알리지 ?(?:마|말)|말하지 ?(?:마|말)|언급하지 ?(?:마|말)|لا (?:تخبر|تذكر|تقل|تظهر)|न बताएं|मत बताना|नहीं बताना|söyleme|bahsetme|bildirme|nie (?:mów|wspominaj|informuj)|(?:vertel|zeg|meld|noem)\b[^.]{0,40}\bniet/,
]

/** Orders to keep something from the person. */
export function checkSecrecy(texts: readonly ReadText[]): readonly Finding[] {
  return texts.flatMap(({ plain, path, role }): Finding[] => {
    if (role === 'name') return []
    const found = SECRECY.map((pattern) => pattern.exec(plain)).find((match) => match !== null)
    if (found === undefined) return []
    const explanation = `keeps something from the person: ${excerpt(found[0])}`
    return [{ field: path, severity: 'high', explanation }]
  })
}
