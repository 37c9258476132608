/**
 * Which words does an attack on a model's instructions need, whatever else it says? They are grouped in classes, in folded form (lower
 * case, no accents), in the languages of published attacks. A class alone means nothing, since people ignore warnings and print pages. The
 * classifier learns how much each ordered pair of nearby classes tells.
 */
import { hashWord } from "./word-hash.ts";

const words = {
  override:
    "ignore ignores ignoring ignored disregard disregards disregarding forget forgets forgetting override overrides overriding overrule bypass bypasses bypassing discard neglect abandon dismiss omit skip circumvent erase unlearn drop violate " +
    "ignoriere ignorier ignorieren ignoriert vergiss vergesst vergessen vergisst missachte verwirf ignora ignoren ignorad olvida olvide olviden olvidar olvidate ignorez ignorer oublie oubliez oublier dimentica dimenticate esqueca esquece zaboravi zaboravite zanemari zignoruj zapomnij negeer vergeet glom unut igrorisi игнорируй игнорируйте проигнорируй забудь забудьте 忽略 无视 忘记",
  prior:
    "previous previously prior preceding above earlier before foregoing past initial initially original existing old given told received " +
    "vorherigen vorherige vorheriger vorigen bisherigen bisherige bisher vorher zuvor obigen obige vorangegangenen anterior anteriores previas previos previa antes precedentes precedents precedente dessus avant precedenti prije prethodne poprzednie vorige предыдущие предыдущих",
  instruction:
    "instruction instructions prompt prompts directive directives programming preprompt guideline guidelines command commands order orders assignment assignments directions " +
    "anweisung anweisungen instruktionen befehle befehl aufforderung aufforderungen anordnungen vorgaben instrucciones instruccion ordenes indicaciones consignes istruzioni instrucoes instrukcije upute instrukcje instructies инструкции инструкций указания",
  task: "task tasks job mission goal objective statement question aufgabe aufgaben auftrag tarea tareas tache compito",
  restriction:
    "rule rules restriction restrictions limitation limitations limits filter filters filtering policy policies ethics ethical ethically ethicality moral morals morality morally legality legalities constraint constraints boundaries censorship censor safeguards safety compliance confines law laws terms regeln regel beschrankungen richtlinien reglas restricciones regles",
  free: "unfiltered uncensored unrestricted unlimited unbound unethical immoral amoral illegal illegally freed liberated jailbreak jailbroken jailbreaking nsfw lawless evil unhinged offensive explicit unmoderated inappropriate harmful dangerous toxic uncensor unaligned unlocked",
  persona:
    "persona personas personality personalities character characters role roles roleplay roleplaying act acting acts pretend pretending imagine simulate simulates simulator simulating simulation emulate embody embodies embodying impersonate become play playing behave dan mode alter ego fictional hypothetical rolle spiele spielst fungieren fungierst fungiere verhalte actua actuar finge joue agis",
  machine:
    "ai ais chatgpt gpt gpt3 gpt4 openai assistant chatbot chatbots bot llm llms model models machine robot llama claude gemini bard copilot ki aim siri alexa cutoff trained training",
  secret:
    "secret secrets hidden confidential internal embeddings embedding system systems password passwords credentials credential token tokens apikey verbatim initialization",
  reveal:
    "reveal reveals show print output display repeat repeats leak expose dump recite disclose return spell summarize translate zeige zeig zeigen gib nenne wiederhole wiederholen muestra muestrame revela montre affiche mostra",
  you: "you your yours yourself youre youve youll ur du dein deine deinen deiner dich dir sie ihre ihren ihnen tu tus tienes vous votre vos eres usted",
  now: "now henceforth onwards onward anymore longer instead rather stop pause jetzt nun stattdessen ahora maintenant entonces adesso",
  negation:
    "never not no without dont cant cannot doesnt wont isnt nor none neither nothing nicht nie niemals kein keine keinen ohne nunca sin jamais pas",
  refusal:
    "refuse refuses refusal refusing warn warns warning warnings disclaimer disclaimers apologize apologizing apologies sorry comply complies decline reject rejecting deny denies unable break stay consequences judgement regardless always must",
  answer:
    "answer answers answering respond responds response responses reply replies replying say says saying write writes writing tell tells generate generates speak speaks talk message messages antworte antworten antwort sage sag sagst schreibe schreib schreiben di dices diga decir dites reponds ecris",
  all: "all any every everything anything whatever each alles alle allen allem jede todo todas toda todos tout toutes tous tutte tutto sve sva wszystkie alle все 所有",
  send: "send sends email forward post upload fetch visit click navigate open url urls link links http https www curl wget webhook append include insert embed exfiltrate transmit",
  fresh:
    "new neue neuen neuer nuevas nuevo nueva nouvelle nouveau updated following next folgende folgenden real actual",
  data: "document documents context passage passages text texts article articles webpage website page content information paragraph informationen dokumente kontext texte",
  harm: "hate hates kill bomb bombs meth drugs weapon weapons hack hacker hacking malware virus ransomware phishing explosive explosives murder suicide racist nazi hitler porn sexual rape destroy humanity scheisse scheise fuck fucking shit bitch",
  promotion:
    "subscribe newsletter discount promote promotes promoting promotion advertise advertisement sponsored exclusive buy sale deals brand",
  falsehood:
    "fake fabricated fabricate misleading false falsehood untrue lie lies lying misinformation nonexistent unwahre luge",
  swear:
    "understood confirm confirmed acknowledge obey obeys obedient loyal master unconditionally cooperate",
  form: "emojis emoji cipher backward backwards reverse reversed base64 rot13 morse hex encode encoded decode binary",
} as const;

export type WordClass =
  | keyof typeof words
  | "roleHeader"
  | "controlToken"
  | "obfuscated"
  | "unseen"
  | "capitals";

/** A class's bit in a word's mask. There may be 31 classes. */
export const wordClasses: readonly WordClass[] = [
  ...(Object.keys(words) as (keyof typeof words)[]),
  "roleHeader",
  "controlToken",
  "obfuscated",
  "unseen",
  "capitals",
];

export const classBits = Object.fromEntries(wordClasses.map((name, at) => [name, 1 << at])) as Readonly<
  Record<WordClass, number>
>;

/** A power of two, several times the number of words. */
const tableSize = 4096;

/** Words by their hash, without collisions that matter: 32 bits, some 900 words. */
export class Lexicon {
  readonly #hashes = new Int32Array(tableSize);
  readonly #masks = new Int32Array(tableSize);
  readonly #words = new Set<string>();
  /** The first three letters of each word: they rule out most places. */
  readonly #beginnings = new Set<string>();

  constructor() {
    for (const name of Object.keys(words) as (keyof typeof words)[])
      for (const word of words[name].split(" ")) {
        const at = this.#placeOf(hashWord(word));
        this.#hashes[at] = hashWord(word);
        this.#masks[at] = (this.#masks[at] ?? 0) | classBits[name];
        if (word.length < shortestJoined) continue;
        this.#words.add(word);
        this.#beginnings.add(word.slice(0, shortestJoined));
      }
  }

  /** The bits of a word's classes; 0: it has none. */
  maskOf(hash: number): number {
    return this.#masks[this.#placeOf(hash)] ?? 0;
  }

  /** The longest word of three letters or more that begins here; "": none. */
  longestAt(letters: string, at: number): string {
    if (!this.#beginnings.has(letters.slice(at, at + shortestJoined))) return "";
    for (let length = Math.min(longestJoined, letters.length - at); length >= shortestJoined; length -= 1) {
      const word = letters.slice(at, at + length);
      if (this.#words.has(word)) return word;
    }
    return "";
  }

  #placeOf(hash: number): number {
    let at = (hash ^ (hash >>> 15)) & (tableSize - 1);
    while (this.#masks[at] !== 0 && this.#hashes[at] !== hash) at = (at + 1) & (tableSize - 1);
    return at;
  }
}

const shortestJoined = 3;
const longestJoined = 16;

let made: Lexicon | null = null;

/** Made at first use: an isolate whose tenants all leave the screen off never pays for it. */
export function lexicon(): Lexicon {
  made ??= new Lexicon();
  return made;
}
