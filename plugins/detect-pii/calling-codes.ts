/** A country's calling code (ITU-T E.164), and the fewest and most digits of its numbers after it. */
export interface CallingCode {
  readonly code: string
  readonly least: number
  readonly most: number
}

const EXACT =
  '1:10-10 7:10-10 20:8-10 27:9-9 30:10-10 31:9-9 32:8-9 33:9-9 34:9-9 36:8-9 39:6-11 40:9-9 41:9-9 43:7-13 44:9-10 45:8-8 ' +
  '46:7-10 47:8-8 48:9-9 49:7-12 51:8-9 52:10-10 53:6-8 54:10-11 55:10-11 56:9-9 57:8-10 58:10-10 60:8-10 61:9-9 62:8-12 63:8-10 ' +
  '64:8-10 65:8-8 66:8-9 81:9-10 82:8-10 84:9-10 86:10-11 90:10-10 91:10-10 92:9-10 93:9-9 94:9-9 95:7-10 98:10-10 ' +
  '212:9-9 213:8-9 216:8-8 234:8-10 254:9-9 255:9-9 256:9-9 233:9-9 351:9-9 352:6-11 353:7-9 354:7-9 355:8-9 356:8-8 ' +
  '357:8-8 358:6-11 359:8-9 370:8-8 371:8-8 372:7-8 373:8-8 374:8-8 375:9-9 380:9-9 381:8-9 385:8-9 386:8-8 387:8-8 389:8-8 ' +
  '420:9-9 421:9-9 852:8-8 853:8-8 855:8-9 880:8-10 886:8-9 961:7-8 962:8-9 963:8-9 964:8-10 965:8-8 966:8-9 967:7-9 968:8-8 ' +
  '971:8-9 972:8-9 973:8-8 974:8-8 977:8-10 992:9-9 994:9-9 995:9-9 996:9-9 998:9-9'
/** All others have three digits. */
const OTHERS = /^(?:2[1-69]|3[57]|42|5[09]|6[7-9]|8[05]|9[679])$/

function listCodes(): readonly CallingCode[] {
  const exact = EXACT.split(' ').map((entry) => {
    const [code = '', least = '', most = ''] = entry.split(/[:-]/)
    return { code, least: Number(least), most: Number(most) }
  })
  const known = new Set(exact.map(({ code }) => code))
  const others: CallingCode[] = []
  for (let number = 200; number < 1000; number += 1) {
    const code = String(number)
    if (!known.has(code) && OTHERS.test(code.slice(0, 2))) others.push({ code, least: 5, most: 11 })
  }
  return [...exact, ...others]
}

export const CALLING_CODES: readonly CallingCode[] = listCodes()
