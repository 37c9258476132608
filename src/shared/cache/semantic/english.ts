/**
 * Which English words may differ between two questions with the same meaning? Every list is a claim that was checked on the tuning half of
 * the evaluation (`npm run eval:cache`). A word that is in no list counts as part of the question.
 */

/** May be there or not, but not one in place of another: "the Matrix" is no matrix. */
export const articles: ReadonlyMap<string, string> = new Map([
  ["a", "a"],
  ["an", "a"],
  ["the", "the"],
]);

/** Words that do not change a question, wherever they stand. */
export const adverbs: ReadonlySet<string> = new Set("really actually exactly currently".split(" "));

/** Words that do not change a question before it, or set off after it. */
export const polite: ReadonlySet<string> = new Set("please kindly hi hello hey thanks".split(" "));

/** With one of these a question may be about a word itself, which must then not be left out. */
export const mentions: ReadonlySet<string> = new Set(
  "say said saying mean meaning word term phrase expression definition define spell plural synonym antonym opposite greeting etymology origin pronounce pronunciation write written type reply respond sign".split(
    " ",
  ),
);

/** Units whose capitals are others: megabits are no megabytes, milliwatts no megawatts. */
export const casedUnits: ReadonlySet<string> = new Set(
  "kb mb gb tb pb kbps mbps gbps tbps kbit mbit gbit mw gw mv ma mm mg mj mpa mhz ms cal pa".split(" "),
);

/**
 * May be there or not, and either may stand for the other: "schools in Rome" and "schools of Rome" ask what "schools Rome" asks. `for`, `at`
 * and `on` are words like others: behind a verb they say to whom a thing is done ("cook for my dog", "leave for Rome"), and a book on Japan
 * is none in Japan, nor the effect of stress on sleep that on stress of sleep.
 */
export const links: ReadonlyMap<string, string> = new Map([
  ["of", "of"],
  ["in", "of"],
]);

/** With these, "in" is part of the verb: who invests in gold keeps his gold. */
export const withParticle: ReadonlySet<string> = new Set(
  "turn switch log sign put plug fill hand give check come go carry hold move get break cut sit stand sleep bring hang take drop pass run work keep set invest believe trade deal cash trust confide".split(
    " ",
  ),
);

/** Whose it is does not matter to how it is done: a link in a question for a way, and a word everywhere else. */
export const ownersLink = "my";

/** Words that mean something else in capitals: an IT job is not an "it". Not words that people stress that way ("THE", "NOT"). */
export const otherInCapitals: ReadonlySet<string> = new Set(
  "it us who aids no co may on of in as at me am pm an he or can ram gas mars ice sad cat dos apt".split(" "),
);

/** Words that are names with a capital and mean something else without one; in German, the polite form of address. */
export const otherAsNames: ReadonlySet<string> = new Set(
  "polish may march august turkey china job nice mobile reading lent mercury sun rob jack will mark rose hope faith grace amber jordan chad georgia apple amazon windows word excel teams go rust swift shell target gap oracle sie ihr ihre ihren ihrem ihrer ihnen".split(
    " ",
  ),
);

/** Who wants something done to a text means its very letters. */
export const workOnText: ReadonlySet<string> = new Set(
  "translate translation correct proofread grammar spell spelling rewrite rephrase paraphrase reword summarize summarise edit letters letter characters character syllables syllable rhyme rhymes anagram reverse capitalize punctuate punctuation sentence paragraph quote pronounce palindrome alphabetize alphabetical sort count".split(
    " ",
  ),
);

/** Behind these, a link says where or what somebody is: "What is in the box?" asks of no box. */
export const being: ReadonlySet<string> = new Set("what who is was were".split(" "));

/** Between two that may change places. */
export const joins: ReadonlySet<string> = new Set(["and", "or", "versus"]);

/** But where one of these says which of the two is the first. */
export const inItsOrder: ReadonlySet<string> = new Set(
  "not no never without except ratio subtract minus divide divided respectively order sequence then convert exchange swap concatenate append prepend join combine merge print echo output list starting beginning".split(
    " ",
  ),
);

/** Behind these, where the verb stands is a matter of grammar. */
export const inverting: ReadonlySet<string> = new Set(["why", "where", "when"]);
export const inverted: ReadonlySet<string> = new Set(["is", "do"]);

/** Plurals that are words of their own. */
const notPlural: ReadonlySet<string> = new Set(
  "securities goods arms customs glasses news means savings stocks lens series species physics politics economics mathematics always perhaps does was this his us has is yes plus bus gas".split(
    " ",
  ),
);

/** Without its plural's end; nothing else is taken away, since tense and kind change the question. */
export function singular(word: string): string {
  if (word.length < 4 || notPlural.has(word)) return word;
  if (word.endsWith("ies")) return word.length > 4 ? `${word.slice(0, -3)}y` : word;
  if (/(?:ss|x|z|ch|sh)es$/.test(word)) return word.slice(0, -2);
  return /[^sui]s$/.test(word) ? word.slice(0, -1) : word;
}

/** Other ways to say one word. */
export const sameWord: ReadonlyMap<string, string> = new Map([
  ["are", "is"],
  ["does", "do"],
  ["which", "what"],
  ["cannot", "not"],
  ["&", "and"],
  ["vs", "versus"],
  ["u", "you"],
  ...["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"].map(
    (word, at) => [word, String(at)] as const,
  ),
  ["eleven", "11"],
  ["twelve", "12"],
  ["hundred", "100"],
  ["thousand", "1000"],
]);

/** Questions about feeling, thinking or doing are put to a person; questions about how a thing is done are not. */
const ofSomebody =
  "(?!(?:feel|think|do|work|look|see|sound|mean|know|like|live|sleep|say|call|differ|compare|help|plan|want|remember|understand)\\b)";
/** A question for the meaning of one of these is not about the word. */
const ofMoreThanWords =
  "(?=(?:(?:the|a|my|our|your|human) )?(?:life|living|existence|being|death|love|suffering|history|everything|christmas|easter)\\b)";
const aWay =
  "(?:what|which) (?:is|are|would be) (?:the |some |a |an )?(?:very )?(?:best |good )?(?:possible )?(?:ways?|methods?) (?:to|of|for)";

/** Whole phrases, before words are looked at. In order; each is linear, since none repeats what another repeats. */
export const phrases: readonly (readonly [RegExp, string])[] = [
  [/\bcan't\b|\bcannot\b/g, "can not"],
  [/\bwon't\b/g, "will not"],
  [/\bshan't\b/g, "shall not"],
  [/n't\b/g, " not"],
  [/\b(what|who|where|how|that|it|there|here|let)'s\b/g, "$1 is"],
  [/'m\b/g, " am"],
  [/'re\b/g, " are"],
  [/'ve\b/g, " have"],
  [/'ll\b/g, " will"],
  [/'s\b/g, ""],
  [
    /^(?:(?:can|could|would|will) you |please |kindly )+(?=(?:tell|explain|give|show|list|write|describe|help|suggest|recommend|provide|translate|summari[sz]e)\b)/,
    "",
  ],
  [new RegExp(`\\b${aWay} `, "g"), "how "],
  [/\bis there (?:a|any) ways? to /g, "how "],
  [
    new RegExp(
      `\\bhow (?:do|can|could|should|would|does|might) (?:i|you|we|one) (?:go about )?${ofSomebody}(?=[a-z])`,
      "g",
    ),
    "how ",
  ],
  [/\bhow to /g, "how "],
  [/\b(?:what|which) do(?:es)? (.{1,80}) mean$/, "what meaning $1"],
  [new RegExp(`^(?:what is )?(?:the )?meaning of ${ofMoreThanWords}`), "what purport "],
  [/^(?:what is )?(?:the )?(?:meaning|definition) of /, "what meaning "],
  [/^define /, "what meaning "],
  [/\b(?:what|which) (?:is|are)(?: (?:some of|some|any))? (?=\S)/g, "what "],
  // Of these either may be said: a topic on a thing is one of it, and a shop's apps are on it as in it; in front of a preposition another says nothing.
  [/\b(topics?|opinions?|views?|thoughts|reviews?|traffic) on\b/g, "$1 of"],
  [/\b(compan(?:y|ies)|firms?|employers?|places?) to work for\b/g, "$1 to work"],
  [/^(?:for|in|at|to) (?=(?:under|in|at|on|by|with|from) (?:what|which)\b)/, ""],
  [/\bon (?=(?:the )?(?:google )?(?:play|app) ?store\b)/g, "in "],
];
