/**
 * Does this statement only read, and only what it may? It is judged on its syntax tree, and the text for the database is written from that
 * tree: even if another parser would read the original text differently, what runs is what was judged. The writer is not trusted either:
 * where a name is more than a word, its output is parsed and judged once more, and must come out the same. The database's own READ ONLY
 * transaction and the binding's role are further barriers; none of them is trusted alone.
 */
import { parse, toSql, type Statement } from "pgsql-ast-parser";
import { err, ok, type Result } from "../../contracts/result.ts";
import { isRecord } from "../../wire/is-record.ts";
import { isReader, shownSettings, timeFields } from "./functions.ts";

export interface SqlRules {
  /** `schema.table`, or `table`, which is the same as `public.table`. `null`: whatever the database lets be read. */
  readonly tables: ReadonlySet<string> | null;
  /** Extensions whose functions may be called, and which may be created. */
  readonly extensions: readonly string[];
  /** The statement is for SQLite, which the parser's writer has no words for some things for. */
  readonly isSqlite?: boolean;
}

export interface JudgedSql {
  /** The statement as it is to be run. */
  readonly sql: string;
  /** It gives rows, of which only so many may be asked for. */
  readonly isQuery: boolean;
}

const maxSqlCharacters = 4000;
/** The parser takes its time by the token, a quarter of a millisecond for the worst; a text that is all signs has one a character. */
const maxSqlTokens = 500;
/** A quoted text or name, a word or number, any other sign. */
const tokens = /'(?:[^']|'')*'|"(?:[^"]|"")*"|[\w$]+|[^\s\w]/g;
const maxDepth = 200;

/** EXPLAIN runs nothing without ANALYZE; the parser does not know it. */
const explained = /^\s*explain\s+(?:\(([^()]*)\)\s*)?(?=select\b|with\b|\(|values\b)/i;

/** The error says what is wrong, in words by which a model can mend it. */
export function judgeSql(text: string, rules: SqlRules): Result<JudgedSql, string> {
  if (text.length > maxSqlCharacters) return err(`it is longer than ${maxSqlCharacters} characters`);
  if ((text.match(tokens)?.length ?? 0) > maxSqlTokens)
    return err(`it has more than ${maxSqlTokens} words and signs: ask for less at once`);
  const explain = explained.exec(text);
  if (explain !== null && !isHarmlessExplain(explain[1] ?? ""))
    return err("EXPLAIN may only have FORMAT, COSTS and VERBOSE");
  const read = statementOf(explain === null ? text : text.slice(explain[0].length));
  if (!read.ok) return read;
  const judged = explain === null ? faultOf(read.value, rules) : faultOfQuery(read.value, rules);
  if (judged !== null) return err(judged);
  const sql = written(read.value);
  if (sql === null || (hasOddName(read.value) && !isReadAlike(sql, rules)))
    return err("it can't be checked as it is written: write it more plainly");
  const isQuery = explain === null && queries.has(read.value.type);
  return ok({ sql: explain === null ? sql : `EXPLAIN (FORMAT JSON) ${sql}`, isQuery });
}

/** If this fails, the writer's output does not mean what was parsed. */
function isReadAlike(sql: string, rules: SqlRules): boolean {
  const again = statementOf(sql);
  return again.ok && faultOf(again.value, rules) === null && written(again.value) === sql;
}

/**
 * The parser takes `1-1` for two numbers, one of them negative: a blank parts the sign from it. Only blanks are added, and none to what
 * stands in quotes.
 */
const sign = /([eE]'(?:[^'\\]|\\[^]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*")|(?<=[\w)\]'"]\s*)-(?=[\d.])/g;

function statementOf(text: string): Result<Statement, string> {
  try {
    const parsed = parse(text.replaceAll(sign, (found, quoted?: string) => quoted ?? `${found} `));
    const [statement, ...more] = parsed;
    return statement === undefined || more.length > 0 ? err("it is not one statement") : ok(statement);
  } catch (error) {
    const [, line, column] = /line (\d+) col (\d+)/.exec(error instanceof Error ? error.message : "") ?? [];
    const place = line === undefined ? "" : ` (at line ${line}, character ${column})`;
    return err(`it can't be read as one SELECT${place}`);
  }
}

function written(statement: Statement): string | null {
  try {
    return toSql.statement(statement);
  } catch {
    // It reads some statements that it does not write.
    return null;
  }
}

const queries: ReadonlySet<string> = new Set([
  "select",
  "union",
  "union all",
  "values",
  "with",
  "with recursive",
]);

function isHarmlessExplain(options: string): boolean {
  return options
    .split(",")
    .map((one) => one.trim().toLowerCase())
    .every(
      (one) =>
        one === "" || /^(?:format\s+(?:json|text|xml|yaml)|costs(?:\s+\w+)?|verbose(?:\s+\w+)?)$/.test(one),
    );
}

function faultOf(statement: Statement, rules: SqlRules): string | null {
  if (statement.type === "show")
    return shownSettings.has(statement.variable.name.toLowerCase()) ? null : "that setting is not shown";
  if (statement.type === "create extension")
    return rules.extensions.includes(statement.extension.name) ? null : "it is no SELECT";
  return faultOfQuery(statement, rules);
}

function faultOfQuery(statement: Statement, rules: SqlRules): string | null {
  return new Reading(rules).faultOf(statement, new Set(), 0);
}

/** Every kind of statement that the parser knows and that does not read: also inside of a WITH. */
function isStatement(type: string): boolean {
  return /^(?:insert|update|delete|truncate|drop|create|alter|set|begin|commit|rollback|start|prepare|deallocate|do|comment|raise|refresh|tablespace|show)\b/.test(
    type,
  );
}

class Reading {
  readonly #rules: SqlRules;

  constructor(rules: SqlRules) {
    this.#rules = rules;
  }

  /** @param named what WITH calls by a name, where this node stands */
  faultOf(node: unknown, named: ReadonlySet<string>, depth: number): string | null {
    if (depth > maxDepth) return "it is nested too deeply";
    if (Array.isArray(node)) return this.#first(node as readonly unknown[], named, depth);
    if (!isRecord(node)) return null;
    const { type } = node;
    if (depth === 0 && (typeof type !== "string" || !queries.has(type))) return "it is no SELECT";
    if (typeof type === "string" && isStatement(type)) return "it changes something";
    if (type === "select" && node["for"] !== undefined) return "it locks rows";
    if (node["opSchema"] !== undefined) return "it names an operator by a schema";
    if (type === "extract" && !isTimeField(node["field"])) return "it extracts what is no field of a time";
    if (type === "integer" && !Number.isSafeInteger(node["value"]))
      return "a number has too many digits: write it as a text in quotes";
    if (type === "cast" && this.#rules.tables !== null && isObjectName(node["to"]))
      return "it asks for the names of what is in the database";
    if (this.#rules.isSqlite === true) {
      if (type === "cast")
        return "it has a cast, which can't be written for SQLite: use round, printf or || ''";
      if (type === "string" && String(node["value"]).includes("\\"))
        return "a text holds a backslash, which can't be written for SQLite: use char(92)";
    }
    if (type === "cast" && isBareInterval(node)) return "an interval has no unit: write interval '1 day'";
    if (type === "with" || type === "with recursive") return this.#with(node, named, depth);
    if (type === "table" && isRecord(node["name"])) {
      const fault = this.#table(node["name"], named);
      if (fault !== null) return fault;
    }
    if (isRecord(node["function"])) {
      const fault = this.#function(node["function"]);
      if (fault !== null) return fault;
    }
    return this.#first(Object.values(node), named, depth);
  }

  #first(nodes: readonly unknown[], named: ReadonlySet<string>, depth: number): string | null {
    for (const node of nodes) {
      const fault = this.faultOf(node, named, depth + 1);
      if (fault !== null) return fault;
    }
    return null;
  }

  #with(node: Readonly<Record<string, unknown>>, named: ReadonlySet<string>, depth: number): string | null {
    const known = new Set(named);
    const { bind, alias } = node;
    // `with recursive` knows its own name inside; the parser gives it one bind.
    const own: unknown = isRecord(alias) ? alias["name"] : undefined;
    if (typeof own === "string") known.add(own);
    const binds: readonly unknown[] = Array.isArray(bind)
      ? (bind as readonly unknown[])
      : [{ statement: bind }];
    for (const one of binds) {
      const { alias: name, statement } = one as {
        readonly alias?: { readonly name: string };
        readonly statement: unknown;
      };
      const type = isRecord(statement) ? statement["type"] : undefined;
      if (typeof type !== "string" || !queries.has(type)) return "it changes something";
      const fault = this.faultOf(statement, known, depth + 1);
      if (fault !== null) return fault;
      if (name !== undefined) known.add(name.name);
    }
    const within = node["in"];
    if (!isRecord(within) || !queries.has(String(within["type"]))) return "it changes something";
    return this.faultOf(within, known, depth + 1);
  }

  #table(of: Readonly<Record<string, unknown>>, named: ReadonlySet<string>): string | null {
    const { tables } = this.#rules;
    // Absent is the default schema; the parser gives a text, or nothing.
    const schema = typeof of["schema"] === "string" ? of["schema"] : undefined;
    const table = String(of["name"]);
    if (tables === null || (schema === undefined && named.has(table))) return null;
    const isPublic = schema === undefined || schema === "public";
    const isAllowed = isPublic
      ? tables.has(table) || tables.has(`public.${table}`)
      : tables.has(`${schema}.${table}`);
    return isAllowed ? null : "it reads a table that is not among those that may be read";
  }

  #function({ schema, name }: Readonly<Record<string, unknown>>): string | null {
    const called = String(name);
    if (schema !== undefined && schema !== "pg_catalog") return "it calls a function by a schema";
    // Its writer makes a function of them, which no database has.
    if (/^(?:any|all|some)$/.test(called)) return `it uses ${called.toUpperCase()}: write IN, or NOT IN`;
    const { extensions, tables } = this.#rules;
    if (isReader(called, tables === null)) return null;
    return extensions.some((one) => called === one || called.startsWith(`${one}_`))
      ? null
      : `it calls a function that is not allowed here: ${called.slice(0, 64)}`;
  }
}

function isTimeField(field: unknown): boolean {
  return isRecord(field) && timeFields.has(String(field["name"]));
}

/** `regclass` and its like: numbers that are shown as the names of objects, listed or not. */
function isObjectName(type: unknown): boolean {
  if (!isRecord(type)) return false;
  return type["kind"] === "array"
    ? isObjectName(type["arrayOf"])
    : /^reg(?:class|collation|namespace|oper|operator|proc|procedure|role)$/.test(String(type["name"]));
}

/** The parser takes the unit behind `interval '1'` for another name: it would be a second, whatever was meant. */
function isBareInterval({ to, operand }: Readonly<Record<string, unknown>>): boolean {
  if (!isRecord(to) || to["name"] !== "interval" || !isRecord(operand)) return false;
  return operand["type"] === "string" && /^\s*[-+]?[\d.]+\s*$/.test(String(operand["value"]));
}

/** Words, and operators: of these nothing can be written that was not read. */
const plain = /^(?:[\w$ ]*|[-+*/<>=~!@#%^&|?]{1,4})$/;

/** Whether anything but a constant is more than that: only quotes can make it. */
function hasOddName(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(hasOddName);
  if (!isRecord(node)) return false;
  const { type } = node;
  return Object.entries(node).some(([key, value]) => {
    if (typeof value !== "string") return hasOddName(value);
    const isConstant = (type === "string" && key === "value") || (type === "member" && key === "member");
    return !isConstant && !plain.test(value);
  });
}
