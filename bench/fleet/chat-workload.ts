/**
 * Chats, as the Azure trace's arrivals and lengths allow them: rows whose prompt could go on from an earlier row's prompt and
 * answer become its next turn, others begin a chat of one of forty apps with a system prompt of its own. The trace itself names
 * no chats; arrivals and lengths are real, while which request continues which chat is drawn here, seeded.
 */
import { readFileSync } from "node:fs";
import { seededRandom } from "./random.ts";
import { blockTokens, countIds, markTokens, type SimulatedRequest, type Workload } from "./traces.ts";

const apps = 40;
/** Share of rows that go on with a chat where one fits. */
const goingOn = 0.7;
/** No user reads and types faster. */
const thinkMs = 3000;

interface Chat {
  readonly app: number;
  readonly region: number;
  readonly firstTokens: number;
  readonly blocks: number[];
  tokens: number;
  readyAtMs: number;
}

export function chats(folder: string): Workload {
  const text = readFileSync(`${folder}/azure_llm_conv_first_6000.csv`, "utf8");
  const random = seededRandom(2);
  const systems = Array.from({ length: apps }, () => Math.round(40 + 1400 * random() ** 3));
  const open: Chat[] = [];
  let nextBlock = apps * 1000;
  let startMs: number | null = null;
  const requests: SimulatedRequest[] = [];
  for (const line of text.trim().split("\n").slice(1)) {
    const [time = "", context = "0", generated = "0"] = line.split(",");
    const readMs = Date.parse(`${time.trim().slice(0, 23).replace(" ", "T")}Z`);
    startMs ??= readMs;
    const atMs = readMs - startMs;
    const promptTokens = Math.max(2, Number(context));
    const answerTokens = Math.max(1, Number(generated));
    const fitting = random() < goingOn ? goesOnWith(open, promptTokens, atMs) : null;
    const chat = fitting ?? begin(random, systems, promptTokens);
    const { blocks } = chat;
    const whole = Math.floor(promptTokens / blockTokens);
    while (blocks.length < whole) blocks.push((nextBlock += 1));
    requests.push({
      atMs,
      promptTokens,
      answerTokens,
      blocks: Int32Array.from(blocks.slice(0, whole)),
      ...marksOf(chat, promptTokens),
      region: chat.region,
    });
    chat.tokens = promptTokens + answerTokens;
    chat.readyAtMs = atMs + thinkMs + answerTokens * 15;
    if (fitting === null) open.push(chat);
  }
  return { name: "chat", requests, blockIds: countIds(requests) };
}

/** The longest chat that this prompt could be the next turn of. */
function goesOnWith(open: readonly Chat[], promptTokens: number, atMs: number): Chat | null {
  let best: Chat | null = null;
  for (const chat of open) {
    if (chat.readyAtMs > atMs || chat.tokens + 8 > promptTokens || chat.tokens < promptTokens / 4) continue;
    if (best === null || chat.tokens > best.tokens) best = chat;
  }
  return best;
}

function begin(random: () => number, systems: readonly number[], promptTokens: number): Chat {
  // Few apps have most of the traffic.
  const app = Math.min(systems.length - 1, Math.floor(systems.length * random() ** 2.5));
  const systemTokens = Math.min(systems[app] ?? 0, promptTokens - 1);
  return {
    app,
    region: Math.floor(random() * 2),
    firstTokens: promptTokens,
    blocks: Array.from({ length: Math.floor(systemTokens / blockTokens) }, (_, at) => app * 1000 + at),
    tokens: 0,
    readyAtMs: 0,
  };
}

/** Keys at the router's depths, and the conversation's: of its first prompt. */
function marksOf(chat: Chat, promptTokens: number): Pick<SimulatedRequest, "marks" | "conversationAt"> {
  const depths = markTokens.filter((tokens) => tokens <= promptTokens && tokens !== chat.firstTokens);
  const marks = [...depths, chat.firstTokens]
    .sort((left, right) => left - right)
    .map((tokens) => ({ tokens, id: chat.blocks[Math.floor(tokens / blockTokens) - 1] ?? chat.app }));
  return { marks, conversationAt: marks.findIndex(({ tokens }) => tokens === chat.firstTokens) };
}
