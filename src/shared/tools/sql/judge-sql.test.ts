import { expect, test } from "vitest";
import { judgeSql } from "./judge-sql.ts";

const rules = { tables: new Set(["orders", "sales.items"]), extensions: [] };

test.each([
  "select * from orders",
  "select * from public.orders",
  "select i.total from sales.items i join orders o on o.id = i.order_id",
  "with users as (select 1 as a) select a from users",
  "with recursive r(n) as (select 1 union all select n + 1 from r) select n from r limit 5",
  "select lower(name), sum(total) from orders group by 1 having sum(total) > 3",
  "select count(*) filter (where a) over (partition by b) from orders",
  "select id from orders union select id from sales.items",
  "select * from orders where id in (select order_id from sales.items)",
  "values (1), (2)",
  "explain select * from orders",
  "show search_path",
  "select extract(year from now()), extract(epoch from placed) from orders",
  "select id - 1, id -1, 5-1, -id, id*-1 from orders where id in (1) or id in (1, 2)",
  "select count(distinct name), coalesce(max(total), 0.5) from orders where name like 'a\\_%' limit 5 offset 2",
  'select left(name, 3), "Name", "odd ""one" from orders as "o o" where name = \'it\'\'s\'',
  "select case when total > 1 then 'big' else 'small' end from orders order by 1 desc nulls last",
  "select date_trunc('month', placed)::date, placed::timestamp with time zone from orders",
  "select interval '1 day', array[1, 2], cast(id as text), (data -> 'a') ->> 'b' from orders",
  "select exists (select 1 from orders), id between 1 and 2, name is not null from orders",
])("%s may run", (sql) => {
  expect(judgeSql(sql, rules)).toMatchObject({ ok: true });
});

test.each([
  "select * from users",
  "select * from items",
  "select * from other.orders",
  "select * from information_schema.tables",
  'select * from "Orders"',
  "select (select password from users)",
  "select * from orders where exists (select 1 from users)",
  "select * from orders union select * from users",
  // A name that WITH gives inside is none outside.
  "select * from (with users as (select 1) select * from users) a, users",
  "with d as (delete from orders returning *) select * from d",
  "insert into orders values (1)",
  "update orders set a = 1",
  "truncate orders",
  "drop table orders",
  "select * into copy from orders",
  "copy orders to '/tmp/x'",
  "do $$ begin end $$",
  "set role admin",
  "begin",
  "select 1; select 2",
  "select * from orders for update",
  "select pg_sleep(10)",
  "select pg_read_file('/etc/passwd')",
  "select * from pg_ls_dir('/')",
  "select lo_import('/etc/passwd')",
  "select dblink('host=evil', 'select 1')",
  "select query_to_xml('select * from users', true, true, '')",
  "select nextval('orders_id_seq')",
  "select pg_catalog.set_config('role', 'admin', false)",
  "select public.lower('x')",
  "select current_setting('x')",
  "select 'a' operator(evil.+) 'b'",
  "explain analyze select * from orders",
  "explain (analyze) select * from orders",
  "explain delete from orders",
  "show hba_file",
  "create extension hypopg",
  // Written out by the parser as it stands, quotes gone: another statement than was judged.
  'select extract("year from now()), (select password from users), extract(year" from now())',
  'select extract("year from now()); commit; drop table orders; --" from now())',
  'select extract("epoch" from now()), extract("epoch from placed) from users --" from now())',
  'select 1 as "a)) from users --", extract("year from now()), (select 1" from now())',
  // They are written as functions, which no database has.
  "select * from orders where id = any(array[1, 2])",
  "select interval '1' day",
  // Of what is in the database beside the listed tables.
  "select pg_get_functiondef(16400)",
  "select pg_get_viewdef(16400)",
  "select has_table_privilege('users', 'select')",
  "select 16400::regclass",
  "select cast(16400 as pg_catalog.regproc)",
  "select regrole 'admin'",
  "select array[16400]::regclass[]",
  // The parser reads it as another number.
  "select * from orders where id = 9007199254740993",
])("%s may not", (sql) => {
  expect(judgeSql(sql, rules)).toMatchObject({ ok: false });
});

test.each([
  ["signs", `select ${"(".repeat(1900)}1${")".repeat(1900)} from orders`],
  ["sums", `select 1${"+1".repeat(1900)} from orders`],
  ["words", `select a from orders where a${" and a".repeat(600)}`],
])("a statement that is all %s is not read: it would hold an isolate for a second", (_, sql) => {
  expect(judgeSql(sql, rules)).toEqual({
    ok: false,
    error: "it has more than 500 words and signs: ask for less at once",
  });
});

test("a long text or a list of columns is no long statement", () => {
  const columns = Array.from({ length: 120 }, (_, at) => `o.column_${at}`).join(", ");
  expect(judgeSql(`select ${columns.slice(0, 1500).replace(/,[^,]*$/, "")} from orders o`, rules).ok).toBe(
    true,
  );
  const text = "it''s so, (really) ".repeat(180);
  expect(judgeSql(`select id from orders where name = '${text}'`, rules).ok).toBe(true);
});

test("what runs is written from what was judged, comments and all", () => {
  const judged = judgeSql("select id /* ; drop table orders */ from orders -- ; drop", rules);
  expect(judged).toMatchObject({ ok: true, value: { isQuery: true } });
  expect(judged.ok && judged.value.sql).not.toContain("drop");
});

test("what can't be read is told by its place", () => {
  expect(judgeSql("select *\nfrom orders where", rules)).toMatchObject({
    ok: false,
    error: expect.stringContaining("SELECT") as string,
  });
  expect(judgeSql("select a from only orders", rules)).toEqual({
    ok: false,
    error: "it can't be read as one SELECT (at line 1, character 15)",
  });
});

test("a sign behind a number is an operator, and stays what it is in quotes", () => {
  const judged = judgeSql("select 5-1, total -2, '3-4', \"a-5\" from orders", rules);
  expect(judged.ok && judged.value.sql).toMatch(/\(\(5\) - \(1\)\).*\(total - \(2\)\).*'3-4'.*"a-5"/);
});

test.each(["select cast(id as text) from orders", "select date '2026-01-01'", "select 'a\\b' from orders"])(
  "%s may run in PostgreSQL, and is told why it can't in SQLite",
  (sql) => {
    expect(judgeSql(sql, rules).ok).toBe(true);
    expect(judgeSql(sql, { ...rules, isSqlite: true })).toMatchObject({
      ok: false,
      error: expect.stringContaining("can't be written for SQLite") as string,
    });
  },
);
