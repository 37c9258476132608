/**
 * Which parts of a text are code or data, in which `[1]` is not a citation? Decided unit by unit, so that it does not matter how the text is cut.
 * For two kinds of answers: Markdown, and JSON, which the client parses.
 */
export interface TextCode {
  /** Whether this unit, the next one of the text, stands in code or is a part of its marks. */
  holds(unit: number): boolean;
}

const backtick = 0x60;
const tilde = 0x7e;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const blank = 0x20;
const tab = 0x09;
const quote = 0x22;
const backslash = 0x5c;

/** Of a fence. */
const leastTicks = 3;

/**
 * Markdown's: what stands between two like runs of backticks, and between fences of three or more backticks or tildes, which stand at
 * the beginning of their lines. A run that nobody closes ends with its line, since models forget; so does a fence's line not have to
 * end behind its end (a citation may follow). Code that is only indented is not known for it: lists are indented as well.
 */
export class MarkdownCode implements TextCode {
  /** Backticks that opened the code in a line that we are in; 0: none did. */
  #span = 0;
  /** Whether it may turn out to be a fence: it leads its line, and no other backtick is in it yet. */
  #mayBeFence = false;
  /** How long the fence was that we are behind, and of what; 0: none is open. */
  #fence = 0;
  #fenceUnit = backtick;
  /** A run of backticks or tildes that may go on. */
  #run = 0;
  #runUnit = backtick;
  #runLeads = false;
  /** Nothing but blanks, and marks of quotes and lists, stands before this in its line. */
  #leads = true;

  holds(unit: number): boolean {
    if (this.#run > 0 && unit === this.#runUnit) {
      this.#run += 1;
      return true;
    }
    if (this.#run > 0) this.#endRun(unit);
    if (unit === backtick || (unit === tilde && this.#leads)) {
      this.#run = 1;
      this.#runUnit = unit;
      this.#runLeads = this.#leads;
      this.#leads = false;
      return true;
    }
    if (unit === lineFeed) this.#endLine();
    else if (this.#leads) this.#leads = mayLead(unit);
    return this.#span > 0 || this.#fence > 0;
  }

  #endRun(next: number): void {
    const run = this.#run;
    this.#run = 0;
    if (this.#fence > 0) {
      const isEnd = this.#runLeads && this.#runUnit === this.#fenceUnit && run >= this.#fence;
      // With a word right behind it, it begins code of a language.
      if (isEnd && isBlank(next)) this.#fence = 0;
    } else if (this.#runUnit === tilde) {
      if (run < leastTicks) return;
      this.#fence = run;
      this.#fenceUnit = tilde;
    } else if (this.#span === 0) {
      this.#span = run;
      this.#mayBeFence = this.#runLeads && run >= leastTicks;
    } else {
      if (run === this.#span) this.#span = 0;
      this.#mayBeFence = false;
    }
  }

  #endLine(): void {
    if (this.#span > 0 && this.#mayBeFence) {
      this.#fence = this.#span;
      this.#fenceUnit = backtick;
    }
    this.#span = 0;
    this.#leads = true;
  }
}

/** JSON's: all that is not in a string. */
export class JsonCode implements TextCode {
  #isString = false;
  #isEscaped = false;

  holds(unit: number): boolean {
    if (!this.#isString) {
      this.#isString = unit === quote;
      return true;
    }
    if (this.#isEscaped) this.#isEscaped = false;
    else if (unit === backslash) this.#isEscaped = true;
    else if (unit === quote) {
      this.#isString = false;
      return true;
    }
    return false;
  }
}

function isBlank(unit: number): boolean {
  return unit === blank || unit === tab || unit === lineFeed || unit === carriageReturn;
}

const leading = new Set(" \t>*+-.)0123456789");

/** `> `, `- `, `2. `: a fence may stand behind them. */
function mayLead(unit: number): boolean {
  return leading.has(String.fromCharCode(unit));
}
