// Words that matter, each with the roles that it can play in a sentence to a model.

export const DROP: i32 = 1
export const SCOPE: i32 = 2
export const RULES: i32 = 4
export const NOT: i32 = 8
export const TELL: i32 = 16
export const USER: i32 = 32
export const SHOW: i32 = 64
export const SEND: i32 = 128
export const SECRET: i32 = 256
export const USE: i32 = 512
export const TOOL: i32 = 1024
export const MUST: i32 = 2048
export const MODEL: i32 = 4096
export const NEW: i32 = 8192
export const YOUR: i32 = 16384
export const FOLLOW: i32 = 32768
export const LAWS: i32 = 65536
export const PRIOR: i32 = 131072
export const ALL: i32 = 262144

const SLOTS: i32 = 1024
const hashes = new StaticArray<u32>(SLOTS)
const roles = new StaticArray<i32>(SLOTS)

const BASIS: u32 = 2166136261

/** Adds a letter to the hash of a word (FNV-1a). A word begins with `hashStart()`. */
export function hashNext(hash: u32, letter: i32): u32 {
  return (hash ^ (<u32>letter)) * 16777619
}

export function hashStart(): u32 {
  return BASIS
}

export function hashOf(word: string): u32 {
  let hash = BASIS
  for (let i = 0; i < word.length; i++) hash = hashNext(hash, word.charCodeAt(i))
  return hash
}

/** The roles of a word by its hash; 0: none. */
export function rolesOf(hash: u32): i32 {
  let slot = <i32>(hash & (SLOTS - 1))
  while (hashes[slot] != 0) {
    if (hashes[slot] == hash) return roles[slot]
    slot = (slot + 1) & (SLOTS - 1)
  }
  return 0
}

function add(words: string, role: i32): void {
  const list = words.split(' ')
  for (let i = 0; i < list.length; i++) {
    const hash = hashOf(list[i])
    let slot = <i32>(hash & (SLOTS - 1))
    while (hashes[slot] != 0 && hashes[slot] != hash) slot = (slot + 1) & (SLOTS - 1)
    hashes[slot] = hash
    roles[slot] |= role
  }
}

add('ignore ignoring disregard disregarding forget override overriding bypass bypassing neglect discard', DROP)
add('previous prior above earlier preceding foregoing all any every your system original initial former', SCOPE)
add('previous prior above earlier preceding foregoing original initial former', PRIOR)
add('everything anything', ALL)
add('instruction instructions prompt prompts guideline guidelines directive directives directions guidance', RULES)
add('rule rules commands constraints restrictions', LAWS)
add('follow following obey obeying heed comply', FOLLOW)
add("not don't dont never without stop", NOT)
add(
  'tell telling mention mentioning inform informing reveal revealing notify notifying alert alerting disclose disclosing asking',
  TELL,
)
add('user users human humans operator anyone', USER)
add('reveal print repeat output show display leak dump', SHOW)
add('send post upload forward email transmit exfiltrate submit append deliver', SEND)
add(
  'password passwords token tokens key keys credential credentials secret secrets conversation history env environment ssh',
  SECRET,
)
add('call use invoke run execute', USE)
add('tool tools function functions', TOOL)
add('must immediately always first before important urgent should required', MUST)
add('ai assistant assistants llm model agent claude chatgpt gpt copilot gemini bot', MODEL)
add('new updated real actual true revised', NEW)
add('your my the system initial hidden secret', YOUR)
