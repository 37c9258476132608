import { isAsciiLetter, isDigit, isGroupSeparator, more, none } from "./outcome.ts";

/**
 * Does an IBAN begin at this letter? Country, its length (SWIFT's registry, and countries that use the form without
 * being in it), mod 97 = 1 (ISO 13616), in one piece or with single blanks or dashes. Reads at most 45 characters and one more.
 */
const lengths =
  "AD24 AE23 AL28 AO25 AT20 AZ28 BA20 BE16 BF28 BG22 BH22 BI27 BJ28 BR29 BY28 CF27 CG27 CH21 CI28 CM27 CR22 CV25 CY28 CZ24 DE22 DJ27 DK18 DO28 DZ26 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GA27 GB22 GE22 GI23 GL18 GQ27 GR27 GT28 GW25 HN28 HR21 HU28 IE22 IL23 IQ23 IR26 IS26 IT27 JO30 KM27 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MA28 MC27 MD24 ME22 MG27 MK19 ML28 MN20 MR27 MT31 MU30 MZ25 NE28 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SN28 SO23 ST25 SV28 TD27 TG28 TL23 TN24 TR26 UA29 VA22 VG24 XK20";
const lengthOf = new Uint8Array(26 * 26);
for (const entry of lengths.split(" "))
  lengthOf[(entry.charCodeAt(0) - 0x41) * 26 + entry.charCodeAt(1) - 0x41] = Number(entry.slice(2));

const mostSeparators = 11;
const codes = new Uint8Array(34);

export function matchIban(text: string, at: number, length: number, final: boolean): number {
  if (at + 1 >= length) return final ? none : more;
  const second = text.charCodeAt(at + 1);
  if (!isAsciiLetter(second)) return none;
  const wanted = lengthOf[((text.charCodeAt(at) | 0x20) - 0x61) * 26 + ((second | 0x20) - 0x61)] ?? 0;
  if (wanted === 0) return none;
  let count = 0;
  let separators = 0;
  let index = at;
  for (; count < wanted; index += 1) {
    if (index >= length) return final ? none : more;
    const code = text.charCodeAt(index);
    if (isDigit(code)) codes[count] = code - 0x30;
    else if (count !== 2 && count !== 3 && isAsciiLetter(code)) codes[count] = (code | 0x20) - 0x61 + 10;
    else {
      if (!isGroupSeparator(code)) return none;
      separators += 1;
      if (count < 4 || separators > mostSeparators || isGroupSeparator(text.charCodeAt(index - 1)))
        return none;
      continue;
    }
    count += 1;
  }
  if (index >= length && !final) return more;
  const behind = index < length ? text.charCodeAt(index) : 0;
  if (isDigit(behind) || isAsciiLetter(behind)) return none;
  return remainder(wanted) === 1 ? index : none;
}

/** Modulo 97, of the account first, then country and check digits; a letter counts as two digits. */
function remainder(count: number): number {
  let value = 0;
  for (let index = 0; index < count; index += 1) {
    const code = codes[(index + 4) % count] ?? 0;
    value = (code > 9 ? value * 100 + code : value * 10 + code) % 97;
  }
  return value;
}
