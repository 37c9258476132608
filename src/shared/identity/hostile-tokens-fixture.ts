import {
  acme,
  base64url,
  goodClaims,
  hmac,
  nowSeconds,
  secrets,
  signClaims,
  signTexts,
} from "./identity-fixture.ts";

/**
 * Tokens that must all be refused with 401, each by its name. Most are signed by the right secret: what is wrong with
 * them must be seen in spite of that. Used in Node and inside workerd, whose crypto differs.
 */
export async function hostileTokens(): Promise<ReadonlyMap<string, string>> {
  const good = await signClaims();
  const [header = "", payload = "", signature = ""] = good.split(".");
  const secret = secrets["ACME_JWT_SECRET"] ?? "";
  const without = (claim: string) =>
    Object.fromEntries(Object.entries(goodClaims).filter(([name]) => name !== claim));
  const dates = (name: string) =>
    Object.entries({
      "a string": String(nowSeconds + 60),
      negative: -1,
      "1e300": 1e300,
      null: null,
      boolean: true,
      "an array": [nowSeconds + 60],
      "an object": {},
    }).map(([kind, value]) => [`${name} as ${kind}`, signClaims({ ...goodClaims, [name]: value })] as const);
  const headers = (name: string, members: Readonly<Record<string, unknown>>) =>
    [name, signClaims(goodClaims, { alg: "HS256", typ: "JWT", ...members })] as const;
  const text = JSON.stringify(goodClaims);
  const lastChar = signature.slice(-1);
  const otherLast = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  // The same bytes for a lenient decoder: only the unused bits of the last character differ.
  const uncanonical = `${signature.slice(0, -1)}${otherLast[otherLast.indexOf(lastChar) + 1] ?? "A"}`;
  const entries: (readonly [string, string | Promise<string>])[] = [
    ["alg none, no signature", `${base64url('{"alg":"none"}')}.${payload}.`],
    ["alg none, some signature", `${base64url('{"alg":"none"}')}.${payload}.AAAA`],
    ["alg None in odd case", `${base64url('{"alg":"nOnE"}')}.${payload}.AAAA`],
    ["alg missing", signTexts("{}", text)],
    ["alg not a string", signTexts('{"alg":["HS256"]}', text)],
    ["alg in lower case", signTexts('{"alg":"hs256"}', text)],
    ["alg HS512 where HS256 is configured", signClaims(goodClaims, { alg: "HS512" })],
    ["alg RS256 where HS256 is configured", signClaims(goodClaims, { alg: "RS256" })],
    ["signature empty", `${header}.${payload}.`],
    ["signature by another secret", signClaims(goodClaims, undefined, "x".repeat(40))],
    ["signature by an empty secret's zeros", signWithZeros(header, payload)],
    ["signature of another token", `${header}.${base64url(text.replace("alice", "mallory"))}.${signature}`],
    ["signature cut short", `${header}.${payload}.${signature.slice(0, 20)}`],
    ["signature with its unused bits set", `${header}.${payload}.${uncanonical}`],
    ["kid as a path", headers("kid", { kid: "../../../../dev/null" })[1]],
    ["kid as SQL", headers("kid", { kid: "x' UNION SELECT 'key" })[1]],
    ["kid as a command", headers("kid", { kid: "key|cat /etc/passwd" })[1]],
    ["kid not a string", headers("kid", { kid: { a: 1 } })[1]],
    ["kid endless", headers("kid", { kid: "k".repeat(2000) })[1]],
    headers("crit", { crit: ["exp"] }),
    headers("crit empty", { crit: [] }),
    headers("b64 false", { b64: false, crit: ["b64"] }),
    headers("jku", { jku: "https://attacker.test/keys" }),
    headers("x5u", { x5u: "https://attacker.test/cert" }),
    headers("jwk", { jwk: { kty: "oct", k: base64url(secret) } }),
    headers("x5c", { x5c: ["AAAA"] }),
    headers("typ of something else", { typ: "dpop+jwt" }),
    headers("typ not a string", { typ: 1 }),
    headers("cty: a nested token", { cty: "JWT" }),
    headers("zip", { zip: "DEF" }),
    ["audience wrong", signClaims({ ...goodClaims, aud: "other" })],
    ["audience as a prefix", signClaims({ ...goodClaims, aud: "edgewise2" })],
    ["audience in other case", signClaims({ ...goodClaims, aud: "Edgewise" })],
    ["audience missing", signClaims(without("aud"))],
    ["audience an empty array", signClaims({ ...goodClaims, aud: [] })],
    ["audience array with a number", signClaims({ ...goodClaims, aud: ["edgewise", 1] })],
    ["audience an object", signClaims({ ...goodClaims, aud: { edgewise: true } })],
    ["audiences endless", signClaims({ ...goodClaims, aud: Array(100).fill("edgewise") })],
    ["issuer wrong", signClaims({ ...goodClaims, iss: "https://attacker.test" })],
    ["issuer with a slash more", signClaims({ ...goodClaims, iss: `${goodClaims.iss}/` })],
    ["issuer missing", signClaims(without("iss"))],
    ["issuer an array", signClaims({ ...goodClaims, iss: [goodClaims.iss] })],
    ["issuer with a line feed", signClaims({ ...goodClaims, iss: `${goodClaims.iss}\nedgewise` })],
    ["issuer endless", signClaims({ ...goodClaims, iss: "i".repeat(3000) })],
    ["issuer of another tenant", signClaims({ ...goodClaims, iss: "https://id.globex.test" })],
    ["issuer of the platform", signClaims({ ...goodClaims, iss: "edgewise-platform" })],
    ["expiry missing", signClaims(without("exp"))],
    ["expired", signClaims({ ...goodClaims, exp: nowSeconds - 31 })],
    ["expiry zero", signClaims({ ...goodClaims, exp: 0 })],
    ["expiry too far", signClaims({ ...goodClaims, exp: nowSeconds + 2_592_001 + 60 })],
    ["not valid yet", signClaims({ ...goodClaims, nbf: nowSeconds + 31 })],
    ["issued in the future", signClaims({ ...goodClaims, iat: nowSeconds + 31 })],
    ...dates("exp"),
    ...dates("nbf"),
    ...dates("iat"),
    ["exp NaN, which is not JSON", signTexts('{"alg":"HS256"}', text.replace(/"exp":\d+/, '"exp":NaN'))],
    [
      "exp Infinity, which is not JSON",
      signTexts('{"alg":"HS256"}', text.replace(/"exp":\d+/, '"exp":Infinity')),
    ],
    ["exp overflowing", signTexts('{"alg":"HS256"}', text.replace(/"exp":\d+/, '"exp":1e400'))],
    ["user missing", signClaims(without("sub"))],
    ["user empty", signClaims({ ...goodClaims, sub: "" })],
    ["user a number", signClaims({ ...goodClaims, sub: 7 })],
    ["user with a control character", signClaims({ ...goodClaims, sub: "a\u0000b" })],
    ["user with half a surrogate pair", signTexts('{"alg":"HS256"}', text.replace("alice", "\\ud800"))],
    ["user endless", signClaims({ ...goodClaims, sub: "u".repeat(257) })],
    ["org an object", signClaims({ ...goodClaims, org: {} })],
    ["org with a blank", signClaims({ ...goodClaims, org: "a b" })],
    ["tier beyond the grant", signClaims({ ...goodClaims, tier: "enterprise" })],
    ["tier unknown", signClaims({ ...goodClaims, tier: "gold" })],
    ["tier an array", signClaims({ ...goodClaims, tier: ["pro"] })],
    ["scope beyond the grant", signClaims({ ...goodClaims, scope: "tenant:admin tenant:root" })],
    ["scope of the platform", signClaims({ ...goodClaims, scope: "platform:admin" })],
    ["scope an object", signClaims({ ...goodClaims, scope: { admin: true } })],
    ["scope array with a number", signClaims({ ...goodClaims, scope: ["tenant:admin", 1] })],
    ["scopes endless", signClaims({ ...goodClaims, scope: Array(200).fill("tenant:admin") })],
    ["duplicate claim", signTexts('{"alg":"HS256"}', text.replace("{", '{"sub":"mallory",'))],
    ["duplicate claim, escaped", signTexts('{"alg":"HS256"}', text.replace("{", '{"\\u0073ub":"mallory",'))],
    ["duplicate deep inside", signTexts('{"alg":"HS256"}', text.replace("{", '{"x":[{"a":1,"a":2}],'))],
    ["duplicate header member", signTexts('{"alg":"none","alg":"HS256"}', text)],
    ["header not JSON", signTexts("alg", text)],
    ["header an array", signTexts('["HS256"]', text)],
    ["header null", signTexts("null", text)],
    ["payload not JSON", signTexts('{"alg":"HS256"}', "hello")],
    ["payload an array", signTexts('{"alg":"HS256"}', "[]")],
    ["payload a string", signTexts('{"alg":"HS256"}', '"x"')],
    ["payload with a byte order mark", signTexts('{"alg":"HS256"}', `\ufeff${text}`)],
    ["payload not UTF-8", signBytes(new Uint8Array([0xff, 0xfe, 0x7b, 0x7d]))],
    ["payload __proto__", signTexts('{"alg":"HS256"}', '{"__proto__":{"sub":"a"}}')],
    ["payload empty", `${header}..${signature}`],
    ["payload detached", `${header}..${await detachedSignature(header, secret)}`],
    ["five parts", `${good}.AAAA.BBBB`],
    ["four parts", `${good}.AAAA`],
    ["two parts", `${header}.${payload}`],
    ["a trailing dot", `${good}.`],
    ["only dots", ".."],
    ["padding", `${header}=.${payload}.${signature}=`],
    ["padding percent-encoded", `${good}%3D`],
    ["a tab in the payload", `${header}.${payload.slice(0, 8)}\t${payload.slice(8)}.${signature}`],
    ["a blank in the signature", `${header}.${payload}.${signature.slice(0, 8)} ${signature.slice(8)}`],
    [
      "base64 in place of base64url",
      `${header}.${base64url('{"a":"??>>"}').replaceAll("-", "+").replaceAll("_", "/")}.${signature}+/`,
    ],
    ["a length that base64url can't have", `${header}A.${payload}.${signature}`],
    ["header huge", signClaims(goodClaims, { alg: "HS256", pad: "x".repeat(9000) })],
    ["payload huge", signClaims({ ...goodClaims, pad: "x".repeat(9000) })],
    ["nested deeply", signTexts('{"alg":"HS256"}', `{"x":${"[".repeat(2500)}${"]".repeat(2500)}}`)],
    ["a JWE", `${base64url('{"alg":"dir","enc":"A256GCM"}')}..AAAA.AAAA.AAAA`],
    ["the JSON serialisation", JSON.stringify({ payload, protected: header, signature })],
    ["an API key of ours, unknown", "ew_live_0123456789_abcdefghijklmnop"],
    ["a key of another vendor", "sk-proj-0123456789"],
    ["text", "hello"],
    ["not ASCII", "ключ.ключ.ключ"],
    ["the tenant named by a claim", signClaims({ ...without("iss"), tenant: acme.id })],
  ];
  return new Map(await Promise.all(entries.map(async ([name, token]) => [name, await token] as const)));
}

async function signWithZeros(header: string, payload: string): Promise<string> {
  const body = `${header}.${payload}`;
  return `${body}.${base64url(await hmac(body, new Uint8Array(32)))}`;
}

async function signBytes(payload: Uint8Array): Promise<string> {
  const body = `${base64url('{"alg":"HS256"}')}.${base64url(payload)}`;
  return `${body}.${base64url(await hmac(body, secrets["ACME_JWT_SECRET"] ?? ""))}`;
}

async function detachedSignature(header: string, secret: string): Promise<string> {
  return base64url(await hmac(`${header}.`, secret));
}
