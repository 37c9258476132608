/** 941: script for a browser. */
import { lineAndReferer, requestLine, type Rule } from "./rule.ts";

const tags =
  "script|iframe|frame|object|embed|applet|svg|math|img|image|video|audio|source|body|html|head|form|input|button|select|textarea|keygen|isindex|style|meta|link|base|bgsound|marquee|noscript|template|details|table|div|xss|xml|import|foreignobject|animate|set|layer|ilayer|v:vmlframe|vmlframe|noembed|plaintext|title|slot|portal|dialog|a|p|b|x";

export const scriptRules: readonly Rule[] = [
  {
    id: "941-tag",
    reads: "text",
    pattern: new RegExp(`<\\s{0,4}[/?!]?\\s{0,4}(?:${tags})(?:$|[\\s/>#=:;"'+]|\\bxmlns)`),
  },
  {
    id: "941-tag-prefix",
    reads: "text",
    pattern: /<[/?]?(?:script|iframe|object|embed|applet|import|style|svg|v:)/,
  },
  {
    id: "941-spaced-tag",
    reads: "text",
    pattern: /<\s?(?:s c r i p t|f o r m|i f r a m e|o b j e c t|i m g|s t y l e|s v g)/,
  },
  {
    id: "941-declaration",
    reads: "text",
    pattern: /<!(?:entity|doctype|attlist|element|\[cdata\[|--\s?#)|<\?xml|<%[=@!\s]/,
  },
  {
    id: "941-tag-handler",
    reads: "text",
    pattern: /<[^>\n]{0,200}?["'`\s/]on[a-z]{3,50}\s?=|<["'`\s/]{0,4}on[a-z]{3,50}\s?=/,
  },
  {
    id: "941-handler",
    reads: "text",
    pattern: /["'`;\s]on(?!e\b|ly\b|ce\b|line\b|going\b|board\b|set\b)[a-z]{3,50}[\s\u000b]?=/,
    places: lineAndReferer,
  },
  {
    id: "941-scheme",
    reads: "compact",
    pattern:
      /(?:javascript|vbscript|livescript):[^a-z]{0,4}[\w\\(;'"%/]|data:(?:text\/html|image\/svg|application\/xhtml|text\/javascript)/,
    places: ["path", "query", "referer", "cookie", "header"],
  },
  {
    id: "941-call",
    reads: "text",
    pattern:
      /\b(?:eval|atob|btoa|alert|prompt|confirm|settimeout|setinterval|setimmediate|execscript|importscripts|fromcharcode|unescape|decodeuricomponent|msgbox)\s?(?:\(|`|\/\*)/,
  },
  {
    id: "941-document",
    reads: "text",
    pattern:
      /\b(?:document|window|self|top|parent|frames|globalthis|this)\s?(?:\.\s?(?:cookie|write(?:ln)?|location|domain|innerhtml|localstorage|sessionstorage|onerror|name|open|createelement|body|documentelement|alert|eval)\b|\[\s?["'`/(])|\.(?:innerhtml|outerhtml|insertadjacenthtml)\s?=/,
  },
  {
    id: "941-constructor",
    reads: "text",
    pattern:
      /\bconstructor\s?[.([]|\[\s?["'`](?:constructor|__proto__|prototype)["'`]|__proto__|\{\{[^}\n]{0,120}(?:constructor|alert|eval|\(|\$on)|\breflect\s?\.\s?[a-z]{2,20}\s?[.(`]|\bnew function\s?[(`]/,
  },
  {
    id: "941-tagged-call",
    reads: "text",
    pattern:
      /\.\s?(?:map|sort|find|findindex|filter|reduce|reduceright|every|some|foreach|flatmap|from|replace|match|call|apply|bind)\s?(?:\.\s?(?:call|apply|bind)\s?)?`/,
    places: requestLine,
  },
  {
    id: "941-style",
    reads: "compact",
    pattern:
      /style=[^&\u0001]{0,300}?(?:expression\(|url\((?:["']?)(?:javascript|data|vbscript):|behaviou?r:|-moz-binding|@import)/,
    places: lineAndReferer,
  },
  { id: "941-import", reads: "text", pattern: /@import\s{0,3}["'(u]|@charset\s{0,3}["']|-moz-binding\s?:/ },
  // UTF-7's `<` and `>`; the plus sign may have been read as a blank.
  { id: "941-utf-7", reads: "text", pattern: /[+ ]ad[w4]-/, places: requestLine },
  { id: "941-jsfuck", reads: "compact", pattern: /!!?\[\]\+|\[\]\[\(?[!+"']|\(!\[\]\)/, places: requestLine },
  {
    id: "941-escape",
    reads: "text",
    pattern: /\\(?:u00|x)(?:3c|3e|22|27|28|29|61|65)|\\u\{[0-9a-f]{2,6}\}/,
    places: requestLine,
  },
];
