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
  "select * from orders where id = any(select order_id from sales.items)",
  "values (1), (2)",
  "explain select * from orders",
  "show search_path",
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
])("%s may not", (sql) => {
  expect(judgeSql(sql, rules)).toMatchObject({ ok: false });
});

test("what runs is written from what was judged, comments and all", () => {
  const judged = judgeSql("select id /* ; drop table orders */ from orders -- ; drop", rules);
  expect(judged).toMatchObject({ ok: true, value: { isQuery: true } });
  expect(judged.ok && judged.value.sql).not.toContain("drop");
});
