/** 942: SQL, and the operators of document databases. */
import { lineAndReferer, requestLine, type Rule } from "./rule.ts";

const quote = "['\"`]";
const everywhere = ["path", "query", "user-agent", "referer", "cookie", "header"] as const;
const types =
  "int(?:eger|[248])?|bigint|smallint|text|jsonb?|bool(?:ean)?|varchar|char|bytea|numeric|float[48]?|name|regclass|xml|date|timestamp|uuid";

export const queryRules: readonly Rule[] = [
  { id: "942-union-select", reads: "sql", pattern: /\bunion[\s(+]{1,8}(?:all|distinct)?[\s(+]{0,8}select\b/ },
  {
    id: "942-select",
    reads: "sql",
    pattern:
      /\(\s{0,4}select\b[\s(*\w@'"`]|\bselect\s{0,4}\(|\bselect\s{1,8}[\w.]{1,40}\s{0,4}\(|\bselect\s{1,8}(?:\*|(?:top \d{1,4}|distinct|all|@@?\w)|[\w`"'.,\s*]{1,120}?\sfrom\s{1,8}[\w`"'.[\]]{1,60}\s{0,4}(?:where|limit|order|group|union|join|having|;|--|#|\)|,|$))|\bselect\s{1,4}["'\d]/,
  },
  {
    id: "942-statement",
    reads: "sql",
    pattern:
      /(?:^|[;'"`)=\u0001])\s{0,8}(?:insert\s{1,8}into|drop\s{1,8}(?:table|database|schema|index|view|user|column|procedure|function|trigger)|delete\s{1,8}from|update\s{1,8}\S{1,60}\s{1,8}set\b|truncate\s{1,8}(?:table\s)?\w|alter\s{1,8}(?:table|database|user|role)|create\s{1,8}(?:table|database|user|procedure|function|view|trigger|index|or replace)|exec(?:ute)?\s{1,8}(?:immediate|master|xp_|sp_)|declare\s{1,8}@|set\s{1,8}@{1,2}\w|waitfor\s{1,8}(?:delay|time)|shutdown\s{0,4}(?:with|;|--)|grant\s{1,8}\w{1,20}\s{1,8}on|load\s{1,8}data|handler\s{1,8}\w{1,40}\s{1,8}(?:open|read)|merge\s{1,8}into|replace\s{1,8}into|print\s?['"])/,
  },
  {
    id: "942-function",
    reads: "sql",
    pattern:
      /\b(?:sleep|benchmark|pg_sleep(?:_for|_until)?|dbms_\w{2,30}\.\w{2,30}|utl_(?:inaddr|http)\.\w{2,30}|load_file|lo_(?:import|export|get|put|create|from_bytea)|load_extension|extractvalue|updatexml|xmltype|group_concat|concat_ws|string_agg|array_agg|find_in_set|json_(?:extract|build_object|keys|agg|array|object\w{0,4}|value|query)|jsonb_\w{2,20}|row_to_json|xp_\w{2,30}|sp_(?:executesql|oacreate|oamethod|password|makewebtask)|openrowset|opendatasource|starts_with|sysdate|current_(?:user|setting|database|schema)|session_user|system_user|pg_(?:read_file|ls_dir|stat_file|read_binary_file|reload_conf|cancel_backend|terminate_backend|client_encoding)|query_to_xml|database_to_xml|table_to_xml|quote_(?:literal|ident)|randomblob|sqlite_(?:version|compileoption_\w{2,6}|source_id)|ifnull|nullif|make_set|export_set|convert_(?:from|to)|object_id|is_(?:srvrolemember|member)|name_const|gtid_subset|geometrycollection|multipoint|multilinestring|multipolygon|st_latfromgeohash|row_count|found_rows|to_(?:tsvector|regclass)|ts_stat|last_insert_id)\s{0,4}\(/,
    places: everywhere,
  },
  // Names that are also words, and then stand before a blank.
  {
    id: "942-short-function",
    reads: "sql",
    pattern:
      /(?:^|[^\w\u0080-\uffff])(?:n?char|chr|concat|ascii|unhex|hex|ord|substr(?:ing)?(?:_index)?|mid|elt|overlay|db_(?:name|id)|col_(?:name|length)|fn_\w{3,30}|polygon|linestring|rand)\(/,
    places: everywhere,
  },
  {
    id: "942-schema",
    reads: "sql",
    pattern:
      /\binformation_schema\b|\bpg_(?:catalog|shadow|user|tables|database|class|roles|authid)\b|\bsqlite_(?:master|schema|temp_master)\b|\bmysql\s?\.\s?(?:user|db|innodb_\w{2,20})\b|\bsys(?:objects|columns|users|databases|\.(?:tables|objects|databases|user_\w{2,20}|all_\w{2,20}|dba_\w{2,20}|schema_\w{2,20}))\b|\b(?:msys(?:aces|objects|queries)|master\.\.|xp_cmdshell|xp_regread|xp_dirtree|msdasql|sqloledb|tempdb\b|northwind\b|all_tab_columns|user_tables|dba_users|v\$version)|@@(?:version|hostname|datadir|global|servername|basedir|tmpdir)/,
  },
  // After a quote, a digit or a bracket: a condition that was not asked for.
  {
    id: "942-condition",
    reads: "sql",
    pattern: new RegExp(
      `(?:${quote}|\\d|\\)|%)\\s{0,8}(?:\\bx?or\\b|\\band\\b|\\|\\||&&|\\bdiv\\b|\\bhaving\\b|\\bwhere\\b)\\s{0,8}(?:not\\s{1,4}|!|~|\\+|-)?\\s{0,4}[('"\`@]{0,4}[\\w.@]{0,60}['"\`)]{0,4}\\s{0,8}(?:=|<|>|!=|\\^|\\(|::|@>|\\bn?o?t?\\s?(?:like|in|is|between|regexp|rlike|glob|similar|ilike|sounds)\\b)`,
    ),
  },
  {
    id: "942-quoted-condition",
    reads: "sql",
    pattern: new RegExp(
      `['"\`]\\s{0,8}(?:x?or|and)\\b\\s{0,8}(?:\\(|${quote}|\\d{1,12}\\s{0,4}(?:$|--|#|=|<|>)|true\\b|false\\b|not\\s|null\\b|[\\w.]{1,40}\\s?(?:--|#|=))`,
    ),
  },
  {
    id: "942-bare-condition",
    reads: "sql",
    pattern:
      /(?:^|[=\u0001/])\s{0,4}(?:x?or|and|\|\||&&|having)\s{1,8}(?:['"(]{1,4}[\w{]|\d{1,12}\s{0,4}(?:$|=|<|>|--|#|\u0001))|\b(?:and|or)\s{1,4}(\d{1,9})\s{0,2}=\s{0,2}\d{1,9}\b/,
    places: requestLine,
  },
  {
    id: "942-like-null",
    reads: "sql",
    pattern:
      /\b(?:not )?like\s{1,4}(?:null\b|'|"|%|0x)|\bis\s{1,4}(?:not\s{1,4})?null\s{0,4}(?:--|#|\)|and\b|or\b|$)|\bbetween\s{1,4}['"\d]\S{0,40}\s{1,4}and\s{1,4}['"\d]|\b(?:regexp|rlike|glob|soundex)\s{1,4}['"(]/,
    places: requestLine,
  },
  {
    id: "942-terminated",
    reads: "sql",
    pattern: new RegExp(
      `${quote}\\s{0,4}\\)?\\s{0,4};\\s{0,4}(?:$|--|#|\\u0001|[a-z]{2,20}(?:[\\s'"(]|$))|['")]\\s{0,4}(?:--(?:$|[\\s+-])|#\\s?$)|['"]\\s?(?:=|\\^|\\|\\||<|>|!=|\\*|/|-)\\s?\\w{1,40}\\s?--`,
    ),
    places: requestLine,
  },
  {
    id: "942-order-by",
    reads: "sql",
    pattern:
      /\b(?:order|group)\s{1,8}by\s{1,8}(?:\d{1,4}\s{0,4}(?:--|#|,|$)|\(|(?:concat|rand|floor)\s{0,4}\()|\binto\s{1,8}(?:out|dump)file\b|\bprocedure\s{1,8}analyse\s{0,4}\(|\blimit\s{1,4}\d{1,9}\s{0,4}(?:--|#|,\s?\d{1,9}\s{0,4}--)/,
  },
  {
    id: "942-cast",
    reads: "sql",
    pattern: new RegExp(
      `[\\w)'"\\]]::(?:${types})\\b|\\bcast\\s{0,4}\\([^)\\n]{0,120}\\sas\\s{1,4}(?:${types}|signed|unsigned|nvarchar|decimal)\\b`,
    ),
  },
  {
    id: "942-json-operator",
    reads: "sql",
    pattern:
      /['"]\s{0,4}[{[][^'\n]{0,160}[}\]]\s{0,4}['"]\s{0,4}(?:::|@>|<@|\?[|&]?|->>?|#>)|(?:@>|<@|->>)\s{0,4}['"]/,
    places: lineAndReferer,
  },
  { id: "942-collate", reads: "sql", pattern: /['")]\s{0,4}collate\s{0,4}["'\\\w]/, places: requestLine },
  // Document databases: `field[$ne]=`.
  {
    id: "942-operator",
    reads: "text",
    pattern:
      /\[\$(?:n?eq?|[gl]te?|n?in|n?or|and|not|where|exists|type|mod|regex|all|size|elemmatch|text|expr|jsonschema|options|slice|set|push|pull|inc|unset|rename|bit)\]|["'{]\$(?:ne|eq|[gl]te?|n?in|where|regex|exists|not|n?or|expr|elemmatch)["']?\s?:/,
    places: requestLine,
  },
  {
    id: "942-inequality",
    reads: "text",
    pattern: /(?:^|=)\s?1\s?(?:!=|<>)\s?(?:[02-9]|1\d)\d{0,6}(?:$|\u0001)/,
    places: ["query"],
  },
  {
    id: "942-hex",
    reads: "sql",
    pattern: /(?:^|[=,(\s])0x(?:[0-9a-f]{2}){8,200}(?=$|[\s,)\u0001-])/,
    places: requestLine,
  },
];
