/**
 * Functions that a read-only statement may call: those of the database itself that read, compute and change nothing, and ask no server and
 * no file. An allow-list, since a list of dangerous functions would never be complete; PostgreSQL's, then SQLite's where they differ.
 */
const names = `
exists
abs acos age any_value array_agg array_append array_cat array_dims array_length array_ndims array_position
array_positions array_prepend array_remove array_replace array_to_json array_to_string array_upper array_lower ascii
asin atan atan2 avg bit_and bit_count bit_length bit_or bit_xor bool_and bool_or btrim cardinality cbrt ceil ceiling
char_length character_length chr clock_timestamp coalesce concat concat_ws corr cos cot count covar_pop covar_samp
cume_dist current_database current_schema current_schemas current_user date_bin date_part date_trunc daterange decode
degrees dense_rank div encode enum_first enum_last enum_range every exp extract factorial first_value floor format
format_type gcd generate_series generate_subscripts greatest host initcap int4range int8range isempty isfinite
json_agg json_array_elements json_array_elements_text json_array_length json_build_array json_build_object json_each
json_each_text json_extract_path json_extract_path_text json_object json_object_agg json_object_keys json_strip_nulls
json_typeof jsonb_agg jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array
jsonb_build_object jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_object jsonb_object_agg
jsonb_object_keys jsonb_path_exists jsonb_path_match jsonb_path_query jsonb_path_query_array jsonb_path_query_first
jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_typeof justify_days justify_hours justify_interval lag last_value lcm
lead least left length ln localtime localtimestamp log log10 lower lower_inc lower_inf lpad ltrim make_date
make_interval make_time make_timestamp make_timestamptz masklen max md5 min min_scale mod mode network now nth_value
ntile nullif num_nonnulls num_nulls numrange octet_length overlay percent_rank percentile_cont percentile_disc
pg_column_size pg_get_keywords pg_size_pretty pg_typeof phraseto_tsquery pi plainto_tsquery position pow power
quote_ident quote_literal quote_nullable radians range_agg rank regexp_count regexp_instr regexp_like regexp_match
regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr regr_avgx regr_avgy regr_count
regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy replace reverse right round row row_number row_to_json
rpad rtrim scale session_user set_masklen sha224 sha256 sha384 sha512 sign sin split_part sqrt starts_with
statement_timestamp stddev stddev_pop stddev_samp string_agg string_to_array string_to_table strip strpos substr
substring sum tan text timeofday to_ascii to_char to_date to_hex to_json to_jsonb to_number to_timestamp to_tsquery
to_tsvector transaction_timestamp translate trim trim_array trim_scale trunc ts_headline ts_rank ts_rank_cd tsrange
tstzrange txid_current_if_assigned unnest upper upper_inc upper_inf user var_pop var_samp variance version
websearch_to_tsquery width_bucket xmlagg
char date datetime group_concat hex ifnull iif instr json_extract json_group_array json_group_object json_quote json_type
json_valid julianday likely nullif printf quote strftime time total typeof unicode unixepoch unlikely
`;

/**
 * They read as well, but of whatever is in the database: the text of a function or a view that is not listed, who may do what, where the
 * server is. Only where everything may be read.
 */
const catalogueNames = `
col_description has_any_column_privilege has_column_privilege has_database_privilege has_function_privilege
has_language_privilege has_schema_privilege has_sequence_privilege has_table_privilege has_tablespace_privilege
has_type_privilege inet_client_addr inet_client_port inet_server_addr inet_server_port obj_description
pg_database_size pg_get_constraintdef pg_get_expr pg_get_functiondef pg_get_indexdef pg_get_viewdef pg_indexes_size
pg_relation_size pg_table_is_visible pg_table_size pg_tablespace_size pg_total_relation_size to_regclass
`;

const readers: ReadonlySet<string> = new Set(names.trim().split(/\s+/));
const catalogueReaders: ReadonlySet<string> = new Set(catalogueNames.trim().split(/\s+/));

/** @param everything not only the tables of a list may be read */
export function isReader(name: string, everything: boolean): boolean {
  return readers.has(name) || (everything && catalogueReaders.has(name));
}

/** What `extract` takes of a time (PostgreSQL 9.9.1): the parser's writer prints the word as it came, quoted or not. */
export const timeFields: ReadonlySet<string> = new Set(
  (
    "century day decade dow doy epoch hour isodow isoyear julian microseconds millennium milliseconds minute month " +
    "quarter second timezone timezone_hour timezone_minute week year"
  ).split(" "),
);

/** Settings that SHOW may tell: none that names a file, an address or a secret. */
export const shownSettings: ReadonlySet<string> = new Set([
  "client_encoding",
  "datestyle",
  "default_transaction_read_only",
  "effective_cache_size",
  "intervalstyle",
  "max_connections",
  "random_page_cost",
  "search_path",
  "server_encoding",
  "server_version",
  "server_version_num",
  "shared_buffers",
  "standard_conforming_strings",
  "statement_timeout",
  "timezone",
  "transaction_isolation",
  "transaction_read_only",
  "work_mem",
]);
