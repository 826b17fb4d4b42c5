/** Names that are known without any context. Matched whole, as they are written. */
export interface Gazetteer {
  readonly pattern: RegExp
}

/** Words that begin with a capital in any sentence, or are names of other things first. */
const NOT_PLACES = new Set([
  'Chad',
  'Georgia',
  'Jordan',
  'Jersey',
  'Turkey',
  'Guinea',
  'Mali',
  'Niger',
  'Troll',
  'Center',
  'Eastern',
  'Pacific',
])

/** Countries and the great cities, as the runtime's own data name them (Unicode CLDR, IANA time zones). */
function listPlaces(): readonly string[] {
  const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })
  const places = new Set<string>(['USA', 'UK', 'Türkiye', 'England', 'Scotland', 'Wales'])
  for (let first = 65; first <= 90; first += 1) {
    for (let second = 65; second <= 90; second += 1) {
      const name = names.of(String.fromCharCode(first, second))
      if (name !== undefined && !/\p{P}|Unknown|Pseudo|Ocean|European|United Nations|world/u.test(name))
        places.add(name)
    }
  }
  for (const zone of Intl.supportedValuesOf('timeZone')) {
    const [area = '', ...rest] = zone.split('/')
    if (/^(?:Africa|America|Asia|Europe|Australia|Pacific)$/.test(area))
      places.add((rest.at(-1) ?? '').replaceAll('_', ' '))
  }
  return [...places].filter((name) => name.length > 3 && !NOT_PLACES.has(name)).concat('USA')
}

const RELIGIONS =
  'Christian Catholic Protestant Anglican Baptist Methodist Lutheran Presbyterian Calvinist Mennonite Mormon Pentecostal ' +
  'Quaker Muslim Sunni Shia Shiite Sufi Jewish Jew Hindu Buddhist Sikh Jain Taoist Confucian Zoroastrian Atheist Agnostic'
const PARTIES =
  'Republican Democrat Conservative Labour Tory Whig Libertarian Socialist Communist Marxist Maoist Fascist Anarchist Peronist'
const MORE_GROUPS = [
  'Liberal Democrat',
  'Social Democrat',
  'Christian Democrat',
  'Latter-day Saint',
  'Eastern Orthodox',
]

/** Adjectives of nations that do not stand among the names of languages. */
const NATIONS =
  'American British Canadian Mexican Brazilian Argentine Argentinian Chilean Colombian Peruvian Venezuelan Ecuadorian Bolivian ' +
  'Paraguayan Uruguayan Cuban Jamaican Haitian Dominican Guatemalan Honduran Salvadoran Nicaraguan Panamanian Austrian Belgian ' +
  'Swiss Egyptian Nigerian Kenyan Ghanaian Ethiopian Eritrean Sudanese Ugandan Tanzanian Rwandan Congolese Cameroonian Senegalese ' +
  'Ivorian Liberian Angolan Zambian Zimbabwean Namibian Moroccan Algerian Tunisian Libyan Syrian Iraqi Iranian Saudi Yemeni ' +
  'Omani Emirati Qatari Kuwaiti Bahraini Jordanian Lebanese Palestinian Israeli Afghan Pakistani Indian Bangladeshi Nepali ' +
  'Indonesian Malaysian Singaporean Filipino Filipina Taiwanese Cambodian Australian Scottish European African Asian Somali'
const TWO_WORDS = [
  'South African',
  'New Zealander',
  'Saudi Arabian',
  'South Korean',
  'North Korean',
  'Sri Lankan',
  'Costa Rican',
  'Puerto Rican',
]

/** Adjectives that name a nation and its language: `French`. */
function listLanguages(): readonly string[] {
  const names = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' })
  const codes =
    'fr de es it pt nl pl sv no fi da ga el tr uk ru cs sk hu ro bg sr hr sl et lv lt is sq mk hy ka az kk uz mn zh ja ko vi th lo km my ' +
    'fa ur hi bn ta te mr pa ne so am ms tl ku mt cy ca eu'
  return codes
    .split(' ')
    .map((code) => names.of(code) ?? '')
    .filter((name) => /^\p{Lu}\p{Ll}{3,}$/u.test(name))
}

const isWord = (name: string) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
const compile = (names: Iterable<string>): Gazetteer => {
  const inOrder = [...new Set(names)].toSorted((a, b) => b.length - a.length).map(isWord)
  return { pattern: new RegExp(String.raw`(?<![\p{L}\p{N}_@.-])(?:${inOrder.join('|')})(?![\p{L}\p{N}_@])`, 'gu') }
}

const withPlural = (name: string) => [name, `${name}s`]

export const PLACES: Gazetteer = compile(listPlaces())
export const GROUPS: Gazetteer = compile([
  ...`${RELIGIONS} ${PARTIES}`.split(' ').flatMap(withPlural),
  ...MORE_GROUPS.flatMap(withPlural),
  ...NATIONS.split(' ').flatMap(withPlural),
  ...TWO_WORDS.flatMap(withPlural),
  ...listLanguages(),
])
