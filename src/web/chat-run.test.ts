import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ChatRun } from "./chat-run.ts";
import { emptyChat, keyOf, reduceChat, type ChatEvent, type ChatState } from "./chat-state.ts";
import { whoIs } from "./credential.ts";
import { drafts } from "./drafts.ts";
import { FakeChatServer, type Fate } from "./fake-chat-server.ts";
import { beginConversation, newConversation } from "./keep.ts";
import { KeptThread } from "./kept-thread.ts";
import { watchTurns } from "./watch-turns.ts";

const token = "token";

/** The page with one chat, as in use-chat.ts, in front of a server. */
class Page {
  readonly server = new FakeChatServer();
  readonly conversation: string;
  /** Questions asked on this page. */
  readonly asked = new Set<string>();
  /** Pictures beside the field, as `data:` URLs. */
  attached: readonly string[] = [];
  state: ChatState = emptyChat;
  readonly #document = Object.assign(new EventTarget(), { hidden: false });
  readonly #window = new EventTarget();
  #run!: ChatRun;
  #leave: () => void = () => undefined;

  constructor(isNew: boolean) {
    // The name of the previous new chat, which may be unused.
    beginConversation(newConversation());
    this.conversation = isNew ? newConversation() : crypto.randomUUID();
    vi.stubGlobal("document", this.#document);
    vi.stubGlobal("window", this.#window);
    vi.stubGlobal("fetch", this.server.fetch);
    this.enter();
  }

  enter(): void {
    let isHere = true;
    this.state = { ...emptyChat, draft: drafts.of(whoIs(token), this.conversation) };
    const dispatch = (event: ChatEvent): void => {
      // React drops updates for a chat that is no longer on the page.
      if (!isHere) return;
      this.state = reduceChat(this.state, event);
      drafts.keep(whoIs(token), this.conversation, this.state.draft);
      this.#look();
    };
    const files = {
      storeIds: () => [],
      pictures: () => this.attached,
      asked: () => {
        this.attached = [];
      },
      refused: () => undefined,
      gone: () => undefined,
      lookAgain: async () => undefined,
    };
    this.#run = new ChatRun({
      token,
      conversation: this.conversation,
      files,
      dispatch,
      onSaved: () => undefined,
      keptCode: async () => ({ KeptThread, watchTurns }),
    });
    const leave = this.#run.open();
    this.#leave = () => {
      leave();
      isHere = false;
    };
  }

  leave(): void {
    this.#leave();
  }

  /** The browser restores the page from its back/forward cache. */
  comeBack(): void {
    this.#leave();
    this.enter();
  }

  ask(text: string, fate: Fate): void {
    if (this.state.phase !== "idle") return;
    // A message that came back to the field but is on screen is not sent again.
    const isThere = this.state.messages.some((message) => message.text === this.state.draft);
    const draft = this.state.draft === "" || isThere ? text : this.state.draft;
    this.type(draft);
    this.server.fate = fate;
    if (this.#run.ask(draft, null, "auto")) this.asked.add(draft);
  }

  askForRest(): void {
    this.#run.ask("Go on.", "rest", "auto");
  }

  type(text: string): void {
    this.state = reduceChat(this.state, { type: "draft-changed", text });
  }

  stop(): void {
    this.#run.stop();
  }

  show(isSeen: boolean): void {
    this.#document.hidden = !isSeen;
    this.#document.dispatchEvent(new Event("visibilitychange"));
  }

  connect(isOnline: boolean): void {
    this.server.isOnline = isOnline;
    if (!isOnline) this.server.cut();
    this.#window.dispatchEvent(new Event(isOnline ? "online" : "offline"));
  }

  /** Checks that hold at any moment. */
  #look(): void {
    const { messages, phase } = this.state;
    const keys = messages.map(keyOf);
    expect(new Set(keys).size).toBe(keys.length);
    const open = messages.filter(({ status }) => status === "waiting" || status === "streaming");
    expect(open.length).toBeLessThanOrEqual(1);
    if (phase === "idle") expect(open).toEqual([]);
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  vi.stubGlobal("history", { replaceState: () => undefined });
  vi.stubGlobal("requestAnimationFrame", (paint: () => void) => {
    queueMicrotask(paint);
    return 1;
  });
  vi.stubGlobal("cancelAnimationFrame", () => undefined);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const does = fc.oneof(
  fc.record({
    what: fc.constant("ask" as const),
    fate: fc.constantFrom<Fate>("answered", "answered", "answered", "refused", "lost"),
  }),
  fc.record({
    what: fc.constantFrom(
      ...(["say", "say", "end", "stop", "cut", "elsewhere", "come back", "hide", "show"] as const),
      ...(["offline", "online"] as const),
    ),
  }),
);
const steps = fc.array(fc.tuple(does, fc.constantFrom(0, 20, 400, 5000), fc.constantFrom(0, 30, 700)), {
  maxLength: 25,
});

const texts = ({ state }: Page): string[] => state.messages.map(({ text }) => text);

test("the answer to a new chat's first question is shown, though the connection was lost before a word of it", async () => {
  const page = new Page(true);
  page.ask("hello", "lost");
  await vi.advanceTimersByTimeAsync(10);
  // It is watched like another device's question, and is not in the field to be sent again.
  expect(page.state).toMatchObject({ phase: "waiting", draft: "" });
  page.server.say("Hi.");
  page.server.end();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(texts(page)).toEqual(["hello", "Hi."]);
  page.leave();
});

test("a chat that was opened in the background shows what was said in it until it is looked at", async () => {
  const page = new Page(false);
  page.leave();
  page.show(false);
  page.enter();
  await vi.advanceTimersByTimeAsync(1000);
  page.server.askElsewhere("hello");
  page.server.say("Hi.");
  page.server.end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(texts(page)).toEqual([]);
  page.show(true);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(texts(page)).toEqual(["hello", "Hi."]);
  page.leave();
});

test("a question that nobody answered is asked once, though its chat was left and opened again before it is tried anew", async () => {
  const page = new Page(false);
  await vi.advanceTimersByTimeAsync(10);
  page.ask("hello", "lost");
  await vi.advanceTimersByTimeAsync(10);
  page.server.delayMs = 1000;
  page.comeBack();
  await vi.advanceTimersByTimeAsync(10);
  page.server.say("Hi.");
  page.server.end();
  await vi.advanceTimersByTimeAsync(1500);
  page.ask("another", "answered");
  await vi.advanceTimersByTimeAsync(10);
  page.server.end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(page.server.items.map(({ text }) => text)).toEqual(["hello", "Hi."]);
  page.leave();
});

test("the rest of an answer is asked for without what is typed and attached for another message, also where it is refused", async () => {
  const page = new Page(true);
  const contents: unknown[] = [];
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    if (typeof init.body === "string")
      contents.push((JSON.parse(init.body) as { messages: [{ content: unknown }] }).messages[0].content);
    return page.server.fetch(path, init);
  });
  page.ask("hello", "answered");
  await vi.advanceTimersByTimeAsync(10);
  page.server.say("Hi");
  page.server.end("incomplete");
  await vi.advanceTimersByTimeAsync(30_000);
  page.type("next");
  page.attached = ["data:image/png;base64,AA=="];
  page.server.fate = "refused";
  page.askForRest();
  await vi.advanceTimersByTimeAsync(10);
  expect(texts(page)).toEqual(["hello", "Hi"]);
  expect(page.state).toMatchObject({ draft: "next", unsent: { text: "Go on.", insteadOf: "rest" } });
  page.askForRest();
  await vi.advanceTimersByTimeAsync(10);
  page.server.say("there.");
  page.server.end();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(texts(page)).toEqual(["hello", "Hi", "Go on.", "there."]);
  expect(contents).toEqual(["hello", "Go on.", "Go on."]);
  expect(page.state.draft).toBe("next");
  expect(page.attached.length).toBe(1);
  page.leave();
});

test("whatever happens to a chat in whatever order: each question is asked once or back in the field, no message is twice on the page, lost, or for ever on its way", async () => {
  await fc.assert(
    fc.asyncProperty(fc.boolean(), steps, async (isNew, all) => {
      const page = new Page(isNew);
      const { server } = page;
      for (const [at, [step, waitMs, delayMs]] of all.entries()) {
        server.delayMs = delayMs;
        if (step.what === "ask") page.ask(`question ${at}`, step.fate);
        else if (step.what === "say") server.say(`word${at} `);
        else if (step.what === "end") server.end();
        else if (step.what === "stop") page.stop();
        else if (step.what === "cut") server.cut();
        else if (step.what === "elsewhere") {
          // No other device knows a new chat.
          if (!isNew || server.items.length > 0) server.askElsewhere(`from elsewhere ${at}`);
        } else if (step.what === "come back") page.comeBack();
        else if (step.what === "hide" || step.what === "show") page.show(step.what === "show");
        else page.connect(step.what === "online");
        await vi.advanceTimersByTimeAsync(waitMs);
      }
      page.connect(true);
      page.show(true);
      server.delayMs = 0;
      await vi.advanceTimersByTimeAsync(60_000);
      server.say("last word");
      server.end();
      await vi.advanceTimersByTimeAsync(120_000);
      expect(page.state.phase).toBe("idle");
      const shown = page.state.messages.map(({ role, text }) => `${role}: ${text}`);
      expect(shown).toEqual(server.items.map(({ role, text }) => `${role}: ${text}`));
      for (const text of page.asked) {
        const times = server.items.filter((item) => item.text === text).length;
        expect(times).toBeLessThanOrEqual(1);
        if (times === 0) expect(page.state.draft).toContain(text);
      }
      page.leave();
    }),
    { numRuns: Number(process.env["RUNS"] ?? 100) },
  );
});
