/**
 * Ideas that poisoned definitions are made of, as patterns over lower-case text, in the languages that we know attacks in.
 * Every repetition is bounded, so that reading a text is linear in its length.
 */
const ideas = {
  /** Files that hold nothing but secrets. */
  secretFile: [
    '~/\\.(?:ssh|aws|netrc|npmrc|pypirc|gnupg|docker|cursor|bash_history|zsh_history|git-credentials|pgpass|vault-token)[\\w./-]{0,60}',
    '/etc/(?:passwd|shadow|sudoers)|id_(?:rsa|ed25519|ecdsa|dsa)|\\.(?:npmrc|netrc|pgpass|git-credentials|bash_history|zsh_history)|\\*\\.(?:pem|p12|pfx|kdbx)',
  ],
  /** Files and stores that hold secrets. */
  secretPlace: [
    '~/\\.(?:ssh|aws|env|netrc|npmrc|pypirc|gnupg|docker|kube|config|cursor|bash_history|zsh_history|git-credentials|pgpass|gcloud|azure|vault-token)[\\w./-]{0,60}',
    '(?:/root|/home/[\\w-]{1,40}|\\$home|%userprofile%)/\\.[a-z][\\w./-]{1,60}',
    '/etc/(?:passwd|shadow|sudoers|ssh)\\w{0,20}',
    'id_(?:rsa|ed25519|ecdsa|dsa)(?:\\.pub)?',
    'ssh id rsa',
    '\\.(?:env(?:\\.[a-z]{1,12})?|npmrc|netrc|pgpass|git-credentials|bash_history|zsh_history|ssh)',
    '\\*\\.(?:pem|p12|pfx|key|kdbx)',
    'known_hosts|authorized_keys|wallet\\.dat|(?:secrets?|credentials?|mcp)\\.json|kubeconfig',
    'key ?chain(?: export)?|seed phrase|wallet seed|git credential fill|password manager|secrets? files?',
    '(?:browser|session) cookies|cookies? (?:of|from|in) (?:the|your|this|all) ?(?:browser|session|site)?',
  ],
  /** What secrets are called. */
  secretThing: [
    '(?:aws|cloud|gcp|azure|api|encryption|signing)[ _-]?keys?|(?:access|auth(?:entication)?|bearer|session|refresh|personal access|github|security) ?-?tokens?|(?:the|a|your|my|its) token|tokens',
    'private[ -]?keys?|ssh[ -]?keys?|secret[ -]?keys?|the keys?|passwords?|passwd|credentials?|secrets?|wallets?',
    'authorization headers?|aws_(?:access_key_id|secret_access_key)|(?:open ?ai|anthropic|gemini|github)_(?:api_key|token)',
    'card numbers?|credit cards?|social security numbers?|ssn|clipboard|cookies?|seed',
    '密码|密钥|令牌|凭证|パスワード|秘密鍵|トークン|비밀번호|парол[а-я]{0,3}|токен[а-я]{0,3}|ключ[а-я]{0,3} api|contraseñas?|claves? api|clé api|clés? privée|mots? de passe|senhas?|passwort|kennwort|zugangsdaten',
  ],
  environment: [
    'environment variables|env(?:ironment)? vars|process\\.env|(?:each|every) env(?:ironment)? var(?:iable)?|value of \\$[a-z_]{3,40}|host environment',
    'home directory|key=value lines|环境变量|環境変数|переменн\\S{1,6} окружения|variables? de entorno|variables? d.environnement|umgebungsvariablen|variáveis de ambiente',
  ],
  /** What was said between the person and the model. */
  conversation: [
    'conversations?(?: history)?|chat[ _-]?(?:history|logs?|transcript)|(?:the|full|entire|whole) chat|transcript of the (?:chat|session|dialogue)|session history|message history|prompt log',
    '(?:last|previous|earlier|prior|all|every|user.?s|ten|other) (?:\\w+ ){0,2}(?:messages?|prompts?)|messages? (?:exchanged|so far)|message the user|messages of the user',
    '(?:everything|all text|anything|all|what(?:ever)?|text) (?:that )?(?:the|your|a) ?(?:user|human|person|they)s? (?:has |have |had |ever )?(?:said|says|wrote|writes?|typed?|types|told|tells|is working on)',
    'everything (?:the user|they|you know)\\b[^.]{0,40}|know about the user|user told you',
    'system[ -]?prompts?|(?:hidden |your )reasoning and|(?:initial|your|original) instructions|instructions (?:that )?you (?:were|are|have been) given|prompt you (?:were|have been) given',
    'results? of all tools|(?:all |every )?other tools available to you|files opened in this session|contents of all files|complete repository|entire repository|whole repository|workspace dump|dump of the workspace',
    '对话记录|聊天记录|系统提示词|会話履歴|システムプロンプト|истори\\S{1,3} переписки|системн\\S{1,4} промпт|system-?prompt|invite système|prompt del sistema|historial|대화 기록|gesprächsverlauf',
  ],
  /** The same, in words that no honest parameter has. */
  talk: [
    '(?:messages?|text|conversation) (?:exchanged|so far)|(?:all|any|every|earlier|previous) messages? (?:of|in) the conversation|(?:what|everything|anything|all)(?: that)? (?:the|your) (?:user|human|person) (?:has |have |had |ever )?(?:said|says|wrote|writes|typed|types|told|tells|asked|is working on)',
    '(?:everything|all|what) you know about the (?:user|person)|the user told you|everything they (?:type|say|write|said|wrote)|(?:initial|original|hidden|secret) instructions|instructions (?:that )?you (?:were|are|have been) given|prompt you (?:were|have been) given|your (?:hidden |inner )?(?:reasoning|instructions)',
    '(?:print|output|reveal|repeat|show|return|leak|display|give|disclose|copy)s? (?:me |us )?(?:the |your |its )?(?:full |entire |whole |complete )?(?:system|initial|original) (?:prompt|message|instructions)|(?:all )?(?:the )?other tools available to you|results? of (?:all )?tools called before|(?:all )?files opened in (?:this|the) session',
  ],
  /** Whose a secret is that nobody gave. */
  owned: [
    'came (?:up|across)|the client (?:sends|uses|holds|has)|client configuration|configuration of the client|of the client|available to (?:the (?:agent|assistant|model)|you)|known to you|if (?:you )?known?|you (?:know|hold|can see|have access to)|found in (?:the )?(?:environment|config\\w{0,10}|client|workspace|session)|model provider|of the (?:browser|current) session|the current session.s|that the user (?:has|uses|typed)',
  ],
  take: [
    'read(?:s|ing)?|open|loads?|fetch|cat|grab|obtain|retrieve|collect|extract|dump|look(?:ing)? (?:it )?up|locate|list|concatenate|serialise|serialize|access|pick out|print(?:s|ing)?|reveals?|export|steal|leak|get',
    '读取|打开|获取|読み取り|読み込|読んで|прочита\\S{1,4}|прочти\\S{0,3}|открой\\S{0,3}|lies|lese|öffne|lis|lisez|ouvre|lee|leer|abre|leia|abra|leggi|apri|읽고|읽어|اقرأ|اقرا|افتح|पढ़ें|पढ़|खोलें|oku|okuyun|przeczytaj|otwórz|lees|open het',
  ],
  give: [
    'send(?:s|ing)?|forward(?:s|ing|ed)?|pass(?:es|ing|ed)?|includ(?:e|es|ing|ed)|attach(?:es|ing|ed)?|supply|put|puts|append(?:s|ing)?|prepend|adds?|adding|hand(?:ing)? (?:it |them )?over|hand over|upload(?:s|ing|ed)?|transmit|paste|provide|insert|copy|submit|post|e-?mail(?:s|ing)?|report|give|accompany|preceded by|prefix|repeat|fill|store|share|exfiltrate|exfil|encode[sd]?|required|commit|need(?:s|ed)?|carry(?:ing)?|multiply',
    '发送|传入|放进|提交|包含|抄送|含めて|渡して|送信|送って|出力|отправ\\S{1,5}|переда\\S{1,6}|включи\\S{0,3}|übergib|übergebe|sende|schicke|gib|füge|setze|transmets|transmettez|envoie|envoyez|ajoute|inclus|incluye|incluir|envía|envia|devuelve|envie|inclua|passane|passa|invia|includi|전달|포함|보내|أرسل|ارسل|أدرج|भेजें|शामिल|gönder|ekle|przekaż|wyślij|dołącz|geef|stuur|voeg',
  ],
  /** What is inside of something, as against a path to it. */
  inside: [
    'each|every|contents?|content of|value of|copy of|dump of|output of|lines? of|lines|text of|word(?:s)? by word|verbatim|in full|unmasked|full|entire|whole|complete|everything|all|its content',
    '内容|完整|содержимое|inhalt|contenu|contenido|conteúdo|contenuto|내용|محتوا\\S{0,2}|सामग्री|içeriğini|içerik|zawartość|inhoud',
  ],
  /** Orders about when. */
  moment: [
    'before (?:using|calling|each|every|any|answering|anything|continuing|first|you|this|the check|it)|prior to|first (?:obtain|read|run|create|call)|must first|pre-?step|previously|beforehand|after (?:every|each|this tool|you)|whenever|when(?: the)?(?: \\w+){0,3} is (?:used|around|in use|present|connected)|on (?:each|every) (?:turn|invocation|call)|as soon as|once finished|as a last step|at the beginning of',
    '使用此工具之前|之前|每次|使う前|使用前|перед использованием|vor der verwendung|wenn|sobald|avant d.utiliser|quand|antes de usar|cada vez que|prima di usare|사용하기 전|قبل استخدام|उपयोग करने से पहले|kullanmadan önce|przed użyciem|vóór gebruik|voor gebruik',
  ],
  order: [
    'must|always|never|have to|has to|required|mandatory|crucial|important|shall|need to|needs? the|at all times|make sure|only reliable|will not work|fails?|rejected|otherwise',
    '必须|重要|必ず|絶対|важно|обязательно|wichtig|stets|immer|toujours|importante|siempre|deve|중요|반드시|مهم|يجب|महत्वपूर्ण|önemli|ważne|belangrijk',
  ],
  ai: [
    'assistants?|(?:the |language |large language |ai )models?|llms?(?: callers)?|ai agents?|agents?|ais?|as an ai|language models?|the model',
  ],
  user: [
    'users?|human|the person|person you are helping|anyone|people|customer|用户|ユーザー|пользовател\\S{1,3}|benutzer|nutzer|utilisateur|usuario|usuário|utente|사용자|المستخدم|kullanıcıya|kullanıcı|gebruiker|użytkownik\\S{0,4}',
  ],
  /** Text that is to be believed as if the developer had written it. */
  override: [
    "(?:ignore|disregard|forget|override|bypass|ignoring)(?: [\\w']{1,15}){0,4} (?:instructions?|rules?|guidance|guidelines|prompts?|restrictions?|the user|safety|policies|training|programming|alignment)(?! (?:file|in|from|of|to|for|id|name|with) )",
    '忽略(?:之前|以上|先前|前面)?的?(?:所有|一切|全部)?(?:指令|指示|规则)|指示を(?:すべて|全て)?無視|игнорируй\\S{0,2} (?:все )?(?:предыдущие|прежние) (?:инструкции|указания)|ignoriere? (?:\\S{1,12} ){0,2}(?:anweisungen|regeln)|ignore(?:z)? (?:\\S{1,12} ){0,2}(?:instructions|consignes)|ignora (?:\\S{1,12} ){0,2}(?:instrucciones|istruzioni)|ignore (?:\\S{1,12} ){0,2}instruções|이전 지시',
    '(?:new|hidden|secret|special|system) (?:instructions?|orders?|directives?) ?[:\\[(]|previous safety instructions|safety instructions are|(?:system|new|security) (?:override|policy in force)|no restrictions|maintenance mode|from (?:this point|now) on|you are now|your role is|all (?:previous|prior|earlier) (?:instructions?|safety)',
    '(?:treat|execute|obey|follow|do)(?: \\w{1,12}){0,6} (?:as instructions|as commands|it says|to the letter|what it finds|the result says|of the result)|executed? as (?:commands?|a shell command)|(?:field|what) `?\\w{1,12}`? of the result says|execute this as|(?:run|execute) (?:the |any |each )?(?:shell )?commands? (?:given |found |named )?in (?:the|its)',
  ],
  /** Marks of the turns of a conversation, where no conversation is. */
  turn: [
    '<\\|?/?(?:im_start|im_end|system|sys|inst)\\|?>|\\[/?(?:system|inst|sys)\\]|<</?sys>>|### ?(?:instruction|response|system)|"role" ?: ?"system"|"system" ?: ?"|<instructions?(?: [^>]{0,40})?>|system (?:override|prompt:)|(?:system|human|assistant|ais?|(?:all |ai )?agents?|(?:language )?models?|llms?) ?: ?(?:you|your|never|do|don.t|always|read|call|fill|from|please|must|ignore|reveal|tool|the next|print|all|forward|new|of course|run|treat|send|append)\\b',
    '</?important>|</?secret>|</?hidden>|for the assistant only|instructions for="?model',
  ],
  /** That nobody need be asked. */
  consent: [
    '(?:without|never|do not|don.t|not|no need to|stop) (?:\\w+ ){0,2}(?:ask(?:ing)?|request(?:ing)?|wait(?:ing)?|confirm(?:ing)?|seek(?:ing)?)(?: \\w+){0,4} (?:permission|confirmation|approval|consent|again)',
    '(?:skip|without) (?:the |any |further )?(?:confirmation|approval|permission|asking)|never ask|never refuse|pre-?approved|permission (?:has been|is|was) (?:already )?granted|regardless of (?:the user|what the user)|call the tool regardless|whatever the user says|no matter what (?:they|the user)',
  ],
  /** Deeds that no description of a tool should ask for. */
  deed: [
    'curl [^|\\n]{0,120}\\| ?(?:ba)?sh|wget [^|\\n]{0,120}\\| ?(?:ba)?sh|rm -rf|nc [\\w.-]{3,60} \\d{2,5}|proxycommand|sudo -n|chmod 777|cron ?job|or 1=1|run the installer|delete the logs|delete logs|disable the firewall',
    '\\$\\((?:cat|env|printenv|curl|whoami)\\b[^)]{0,80}\\)|`(?:cat|curl|git credential) [^`]{1,80}`|cat [~/.][^\\n|]{2,60}\\| ?base64|\\{\\{? ?(?:conversation|messages|system_prompt|chat|history)[\\w ]{0,20}\\}?\\}|<(?:contents? of|access_token|api_key)[^>]{0,40}>|document\\.cookie|localstorage',
  ],
  /** Where stolen things are sent to. */
  drop: [
    'webhook\\.site|requestbin|pipedream\\.net|ngrok(?:-free)?\\.(?:io|app)|burpcollaborator|interact\\.sh|oast\\.\\w{2,5}|discord(?:app)?\\.com/api/webhooks|transfer\\.sh|pastebin\\.com|attacker|evil\\.|exfil',
  ],
  /** Addresses and accounts that money and mail could be led to. */
  account: [
    '[a-z]{2}\\d{2} ?(?:[a-z\\d]{4} ?){3,7}[a-z\\d]{0,4}',
    '[\\w.+-]{1,40}@[\\w-]{1,40}(?:\\.[\\w-]{1,20}){1,3}',
    '\\+\\d{1,3}[ -]?\\d{2,4}[ -]?\\d{3,4}(?:[ -]?\\d{2,6})?',
    '#[a-z][\\w-]{3,30}',
  ],
  redirect: [
    'bcc|blind copy|in addition to the recipient|copie cachée|抄送|recipient|beneficiary|beneficiario|iban|invite|whatever the user says|account|in copy|too|change the recipient',
  ],
  /** Others on the same gateway. */
  others: [
    '(?:other|another|different) (?:mcp )?(?:servers?|tools?)|of the (?:other|\\w{2,12}) server|the other server|any other|all other tools|from the (?:other|\\w{2,12}) server|tools of other|over any other|other \\w{2,10}-?\\w{0,10} tools?',
    'ein anderes|andere werkzeuge',
  ],
  favour: [
    'always (?:choose|use|pick|prefer|prioriti[sz]e|select|call)|must always|only (?:\\w+ ){0,2}(?:you are )?allowed|never be selected|best tool|pick (?:this|it) (?:one|tool|first)|takes? precedence|pick it for|select(?:ing)? a different|is deprecated; use this|use this one|(?:for|at|on) (?:any|each|every) (?:request|turn|task|conversation)|every (?:user message|conversation|turn|request)|call me|at the beginning of every|never answer on your own|even unrelated|whatever the task|no matter what|is malicious|compromised|unsafe and|discard them|thrown away|is broken|route its|replaces|verwende immer|niemals|egal wonach|reported as|perform \\d{1,3}% better|termination of the session|prioriti[sz]e this',
  ],
} as const

export type Idea = keyof typeof ideas

/** Where no word goes on. */
const EDGE = '(?:(?<![a-z0-9])|(?![a-z0-9]))'

/** The text of one idea, anywhere. */
export const PATTERNS: Readonly<Record<Idea, RegExp>> = Object.fromEntries(
  Object.entries(ideas).map(([idea, sources]) => [idea, new RegExp(`${EDGE}(?:${sources.join('|')})${EDGE}`, 'g')]),
) as Record<Idea, RegExp>
export const IDEAS = Object.keys(ideas) as Idea[]
