/**
 * How hard is a request, 0 to 1? A logistic score over countable traits of the question's text, for the strategy `cost`: at or above
 * an alias's threshold the strong model answers. docs/difficulty.md has the traits, how the weights came about, and how often it is wrong.
 *
 * Pure, without a model call, and bounded: it looks at 4,000 characters at most (10 µs a question of 200 characters, 350 µs at the worst). It reads the question, not the answer, and
 * knows English best; the other languages' words are few.
 */

/** The parts of a request that show how hard it is. */
export interface Question {
  /** The latest message of the user. */
  readonly text: string;
  /** Messages before it. */
  readonly earlierMessages: number;
  /** An image or a sound is to be understood. */
  readonly hasMedia: boolean;
}

/** Names of what is counted. */
export const traitNames = [
  "length",
  "reasoning",
  "mathematics",
  "code",
  "engineering",
  "expertise",
  "constraints",
  "parts",
  "numbers",
  "composition",
  "errand",
  "smallTalk",
  "conversation",
  "media",
] as const;
export type Trait = (typeof traitNames)[number];

/**
 * Fitted on the odd lines of test/data/difficulty.jsonl and rounded; `code`, `smallTalk`, `conversation` and `media`, of which those lines have
 * too little, by judgement. What dev/difficulty.ts reports is of the even lines.
 */
const weights: Readonly<Record<Trait, number>> = {
  length: 1.1,
  reasoning: 2,
  mathematics: 1,
  code: 0.5,
  engineering: 0.8,
  expertise: 0.7,
  constraints: 1.2,
  parts: 0.2,
  numbers: 1,
  composition: 1,
  errand: -1.1,
  smallTalk: -0.5,
  conversation: 0.2,
  media: 1,
};
const bias = -3.8;

/** 0: surely easy. 1: surely hard. */
export function difficulty(question: Question): number {
  const counted = traits(question);
  let sum = bias;
  for (const trait of traitNames) sum += weights[trait] * counted[trait];
  return 1 / (1 + Math.exp(-sum));
}

/** The task stands at the beginning and its material at the end, or the other way round. */
const headCharacters = 3000;
const tailCharacters = 1000;

/** `\b` knows ASCII alone: a word that begins or ends with another letter has bounds of its own. */
const words = {
  reasoning:
    /\b(?:why|explain|analy[sz]e|compare|contrast|evaluate|assess|trade-?offs?|pros and cons|argue|critique|justify|reason(?:ing)?|derive|infer|step by step|diagnos\w*|root cause|implications?|consequences?|distinguish|interpret\w*|steelman|dilemma|flaw|estimate|determine|anticipate|defend|recommend|erkläre|begründe|vergleiche|bewerte|warum|leite|compare[rz]?|pourquoi|explica|demuestra)\b|(?<![a-zà-ÿ])(?:évalue[rz]?|por qué)(?![a-zà-ÿ])/g,
  mathematics:
    /\b(?:prove|proof|disprove|theorem|lemma|integral|derivative|differential equation|eigen\w*|matri(?:x|ces)|probability|expected (?:value|number)|convergen\w*|induction|combinator\w*|continuous|irrational\w*|gradients?|logarithm\w*|solutions? of|polynomial|extrema|geometr\w*|beweis\w*|satz von|real numbers|números reales|how many ways)\b|[∑∫√≤≥]|\b\w\^\d|\bf\(x\)|\d\s*[*/^]\s*\d/g,
  code: /```|\b(?:def|return|async|await|import|const|function|class|null|select|from|where|join|exception|stack ?trace|traceback|segfault)\b(?=[^.?!]{0,60}[({;:=])|\b\w+\.\w+\(|=>|&&|\|\||::/g,
  engineering:
    /\b(?:implement\w*|refactor\w*|debug\w*|thread|concurren\w*|deadlock|race condition|algorithm\w*|complexity|unit tests?|database|schema|sql|quer(?:y|ies)|regular expression|regex|distributed|architect\w*|consistency|latency|cluster|replica|locking|partition\w*|microservices?|kubernetes|api|protocol|compiler|interpreter|parse[rs]?|grammar is|garbage collection|memory model|threat model|script that|optimi[sz]\w*|scal\w+|verteiltes|rechenzentrum\w*)\b/g,
  expertise:
    /\b(?:clause|contract|indemnif\w*|liabilit\w*|legal|gdpr|regulat\w*|patient|clinical|dosage|mechanism|therap\w*|hypothes[ei]s|causal\w*|regression|statistic\w*|a\/b test|quantum|entropy|thermodynam\w*|crispr|genom\w*|philosoph\w*|kant\w*|utilitarian\w*|ethic\w*|monetary|elasticity|valuation|cash flow|wacc|margin|unit economics|portfolio|macroeconom\w*|cryptograph\w*|forward secrecy|consensus|bayes\w*|symbolism|financial|ebitda|audit|microscopic|relativity|speed of light)\b/g,
  constraints:
    /\b(?:must|exactly|at least|at most|no more than|without|only|each|every|constraints?|given|assum\w+|such that|under which|including|so that|if not|unless|with at least|ohne|mindestens|jede[rsn]?)\b/g,
  composition:
    /\b(?:essay|story of|speech|sonnet|proposal|syllabus|business plan|training plan|plan a|project|trip|framework|outline|strategy|build a|design a[n]?|create a|write a (?:grant|persuasive|short story|function|threat))\b/g,
  errand:
    /\b(?:translate|traduis|how do you say|cómo se dice|spell\w*|synonyms?|antonyms?|another word|opposite|plural|past tense|rhyme|capital of|capitale|hauptstadt|define|what is (?:a|an|the)|what's|what does|what are|who (?:is|was|wrote|painted)|when did|where is|in which|which (?:is|of these)|how (?:many|long|old) |convert|summari[sz]e|shorten|rephrase|turn (?:this|the following)|fix (?:only )?the|correct the|grammar:|lowercase|title case|alphabetical|list (?:five|three|the|of)|give me (?:a|an|three|five)|suggest|name (?:the|three|five)|one sentence|one line|short|joke|haiku|slogan|caption|title|headline|sentiment|classify|extract|format|round|reply to|reminder|note to|wie viele|wie spät|cuántos|quelle)\b|(?<![a-zà-ÿ])übersetze(?![a-zà-ÿ])/g,
  smallTalk:
    /^\s{0,8}(?:hi|hello|hey|thanks|thank you|good (?:morning|evening|night)|yes|no|ok|okay|are you)\b/g,
} as const;

/** How often each trait was seen, each within a bound of its own, so that no single one decides by repetition. */
export function traits({ text, earlierMessages, hasMedia }: Question): Readonly<Record<Trait, number>> {
  const seen = bounded(text).toLowerCase();
  const length = seen.match(/\S+/g)?.length ?? 0;
  return {
    // Doublings above a short sentence.
    length: Math.min(5, Math.log2(1 + length / 8)),
    reasoning: kinds(seen, words.reasoning, 4),
    mathematics: kinds(seen, words.mathematics, 3),
    code: kinds(seen, words.code, 3),
    engineering: kinds(seen, words.engineering, 3),
    expertise: kinds(seen, words.expertise, 3),
    constraints: kinds(seen, words.constraints, 4),
    parts: Math.min(
      4,
      seen.match(
        /\?|;|,? and (?:then |explain|show|what|how|which|why|state|evaluate|assess|compare)|^[ \t]{0,8}(?:\d{1,3}[.)]|[-*])\s/gm,
      )?.length ?? 0,
    ),
    numbers: length < 12 ? 0 : Math.min(4, seen.match(/\d+(?:[.,]\d+)*/g)?.length ?? 0),
    composition: kinds(seen, words.composition, 2),
    errand: kinds(seen, words.errand, 2),
    smallTalk: kinds(seen, words.smallTalk, 1),
    conversation: Math.min(3, Math.log2(1 + earlierMessages / 2)),
    media: hasMedia ? 1 : 0,
  };
}

function bounded(text: string): string {
  return text.length <= headCharacters + tailCharacters
    ? text
    : `${text.slice(0, headCharacters)} ${text.slice(-tailCharacters)}`;
}

/** How many different words of these there are. */
function kinds(text: string, pattern: RegExp, most: number): number {
  return Math.min(most, new Set(text.match(pattern)).size);
}
