/** Which string has this format, or matches this pattern? For structured answers, deterministic. */
export function formatted(format: string | undefined): string | undefined {
  switch (format) {
    case "date-time":
      return "2024-07-26T12:00:00Z";
    case "date":
      return "2024-07-26";
    case "time":
      return "12:00:00Z";
    case "duration":
      return "PT1H";
    case "email":
      return "stand-in@example.com";
    case "hostname":
      return "example.com";
    case "ipv4":
      return "192.0.2.1";
    case "ipv6":
      return "2001:db8::1";
    case "uuid":
      return "00000000-0000-4000-8000-000000000000";
    case "uri":
    case "url":
      return "https://example.com/";
    default:
      return undefined;
  }
}

/**
 * A string that matches the pattern: literals, classes, groups, alternatives and counts. Anything else (look-around,
 * back references) gives undefined; so does a result that does not match after all.
 */
export function matching(pattern: string, least: number, most: number): string | undefined {
  for (const repeat of [1, least, 2, 3, 8]) {
    const text = new PatternReader(pattern, Math.min(repeat, 4096)).read();
    if (text === undefined) return undefined;
    const length = characters(text);
    if (length >= least && length <= most && new RegExp(pattern, "u").test(text)) return text;
  }
  return undefined;
}

/** Nested counts multiply; longer results are not supported. */
const maxPatternCharacters = 10_000;

class PatternReader {
  readonly #pattern: string;
  /** How often an open count (`*`, `+`, `{n,}`) repeats. */
  readonly #repeat: number;
  #at = 0;
  #unsupported = false;

  constructor(pattern: string, repeat: number) {
    this.#pattern = pattern;
    this.#repeat = repeat;
  }

  read(): string | undefined {
    const text = this.#alternatives();
    return this.#unsupported || this.#at < this.#pattern.length ? undefined : text;
  }

  /** Takes the first alternative and skips the others. */
  #alternatives(): string {
    const first = this.#sequence();
    while (this.#pattern[this.#at] === "|") {
      this.#at++;
      this.#sequence();
    }
    return first;
  }

  #sequence(): string {
    let text = "";
    while (this.#at < this.#pattern.length && !"|)".includes(this.#pattern[this.#at] ?? "")) {
      const atom = this.#atom();
      const count = this.#count();
      if (text.length + atom.length * count > maxPatternCharacters) {
        this.#unsupported = true;
        return text;
      }
      text += atom.repeat(count);
    }
    return text;
  }

  #atom(): string {
    const character = this.#pattern[this.#at++] ?? "";
    if (character === "^" || character === "$") return "";
    if (character === ".") return "a";
    if (character === "[") return this.#class();
    if (character === "\\") return this.#escape();
    if (character !== "(") return character;
    if (this.#pattern[this.#at] === "?") {
      const named = /^\?(?::|<[A-Za-z]\w*>)/.exec(this.#pattern.slice(this.#at));
      if (named === null) this.#unsupported = true;
      this.#at += named?.[0].length ?? 1;
    }
    const text = this.#alternatives();
    this.#at++;
    return text;
  }

  #escape(): string {
    const character = this.#pattern[this.#at++] ?? "";
    if (character === "d") return "1";
    if (character === "w") return "a";
    if (character === "s") return " ";
    if (character === "D" || character === "S" || character === "W") return character === "W" ? "-" : "a";
    if (character === "b") return "";
    if (/[a-zA-Z0-9]/.test(character)) {
      const known: Record<string, string> = { n: "\n", r: "\r", t: "\t" };
      if (!(character in known)) this.#unsupported = true;
      return known[character] ?? "";
    }
    return character;
  }

  #class(): string {
    const end = this.#classEnd();
    const source = `[${this.#pattern.slice(this.#at, end)}]`;
    this.#at = end + 1;
    const member = new RegExp(`^${source}$`, "u");
    const candidate = "a1A -_.,:/@+#%&=!?~*()".split("").find((one) => member.test(one));
    const other =
      candidate ??
      Array.from({ length: 0x17f }, (_, code) => String.fromCharCode(code)).find((one) => member.test(one));
    if (other === undefined) this.#unsupported = true;
    return other ?? "";
  }

  #classEnd(): number {
    for (let at = this.#at; at < this.#pattern.length; at++) {
      if (this.#pattern[at] === "\\") at++;
      else if (this.#pattern[at] === "]") return at;
    }
    this.#unsupported = true;
    return this.#pattern.length;
  }

  #count(): number {
    const match = /^(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})\??/.exec(this.#pattern.slice(this.#at));
    if (match === null) return 1;
    this.#at += match[0].length;
    const sign = match[0][0];
    if (sign === "?") return 0;
    if (sign === "*" || sign === "+") return Math.max(this.#repeat, sign === "+" ? 1 : 0);
    const least = Number(match[1]);
    if (match[2] === undefined) return least;
    const most = match[3] === undefined || match[3] === "" ? Infinity : Number(match[3]);
    return Math.min(Math.max(least, this.#repeat), most);
  }
}

/** Length as JSON Schema counts it: code points, not UTF-16 units. */
export function characters(text: string): number {
  return Array.from(text).length;
}
