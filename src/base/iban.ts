/** ISO 13616, the registry's lengths: country code and length, all of one IBAN. */
const LENGTHS: ReadonlyMap<string, number> = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 ' +
    'FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 ' +
    'LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 ' +
    'RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((row) => [row.slice(0, 2), Number(row.slice(2))]),
)

/** The countries whose banks have IBANs, with their lengths. */
export function ibanLengths(): ReadonlyMap<string, number> {
  return LENGTHS
}

const GROUP = 4
const NO_BREAK_SPACE = 0xa0
const SPACE = 0x20

/**
 * Where the IBAN that begins at a place ends, or -1. It has the length of its country and the right check digits, stands in
 * one piece or in groups of four with single spaces, and nothing is glued to it. Letters behind the check digits are all of
 * one case, whichever: in megabytes of base 64 some runs have the check digits right, and these are mixed.
 */
export function endOfIban(text: string, start: number): number {
  const length = LENGTHS.get(text.slice(start, start + 2).toUpperCase())
  if (length === undefined) return -1
  const isGrouped = isSpace(text.charCodeAt(start + GROUP))
  let iban = ''
  let end = start
  while (iban.length < length) {
    if (isGrouped && iban.length > 0 && iban.length % GROUP === 0 && !isSpace(text.charCodeAt(end++)))
      return -1
    if (!isIbanCharacter(text.charCodeAt(end))) return -1
    iban += text.charAt(end)
    end += 1
  }
  const isFree = !isIbanCharacter(text.charCodeAt(end))
  return isFree && isOneCase(iban.slice(GROUP)) && remainder(iban) === 1 ? end : -1
}

function isOneCase(text: string): boolean {
  return text === text.toUpperCase() || text === text.toLowerCase()
}

function isSpace(code: number): boolean {
  return code === SPACE || code === NO_BREAK_SPACE
}

function isIbanCharacter(code: number): boolean {
  const lower = code | 0x20
  return (code >= 0x30 && code <= 0x39) || (lower >= 0x61 && lower <= 0x7a)
}

/** Of the number that an IBAN says, with its first four characters at the end and 10 to 35 for letters, by 97 (ISO 7064). */
export function remainder(iban: string): number {
  let rest = 0
  for (const character of iban.slice(GROUP) + iban.slice(0, GROUP)) {
    const value = Number.parseInt(character, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest
}
