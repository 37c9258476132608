-- The charge ledger: one row a turn, without content, never changed, never deleted.
CREATE TABLE charge (
  charge_id text PRIMARY KEY,
  tenant text NOT NULL,
  org text NOT NULL,
  user_id text NOT NULL,
  tier text NOT NULL,
  -- The API key's id.
  key_id text,
  -- 'direct' (best effort) or 'durable' (exactly once).
  way text NOT NULL,
  endpoint text NOT NULL,
  response_id text NOT NULL,
  -- The Conversation object's name, and its number of the turn's first item.
  conversation text,
  sequence bigint,
  status text NOT NULL,
  model text,
  cluster text,
  attempts integer,
  prompt_tokens bigint NOT NULL,
  completion_tokens bigint NOT NULL,
  cached_tokens bigint NOT NULL,
  reasoning_tokens bigint NOT NULL,
  basis text NOT NULL,
  -- Millionths of a US dollar; null: the bucket was told the model's dearest price.
  microdollars bigint,
  -- US dollars per million tokens, and the version of the fleet document that says so.
  price_version text,
  price_input double precision,
  price_output double precision,
  screened text,
  guarded text,
  -- What came with the row: 'inline', 'object', or 'left-out:<reason>'.
  content text NOT NULL,
  created_ms bigint NOT NULL,
  ended_ms bigint NOT NULL,
  archived_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX charge_by_time ON charge (tenant, created_ms);
CREATE INDEX charge_by_conversation ON charge (tenant, conversation, sequence) WHERE conversation IS NOT NULL;

CREATE FUNCTION charge_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the charge ledger only grows';
END $$;
CREATE TRIGGER charge_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON charge
  FOR EACH STATEMENT EXECUTE FUNCTION charge_only_grows();

-- What was said: one row an item. Erased by key.
CREATE TABLE content (
  charge_id text NOT NULL,
  position integer NOT NULL,
  tenant text NOT NULL,
  user_id text NOT NULL,
  conversation text,
  response_id text NOT NULL,
  sequence bigint,
  created_ms bigint NOT NULL,
  type text,
  role text,
  -- JSON as text: PostgreSQL's own JSON types refuse U+0000. Null where the turn's items are in the bucket.
  item text,
  -- Over 100 KB: all the turn's items as JSON, in the bucket under this key.
  object_key text,
  PRIMARY KEY (charge_id, position),
  CHECK ((item IS NULL) <> (object_key IS NULL))
);
CREATE INDEX content_by_conversation ON content (tenant, conversation, sequence, position);
CREATE INDEX content_by_response ON content (tenant, response_id);
CREATE INDEX content_by_user ON content (tenant, user_id);

-- What was erased, for good: a row that comes after its erasure is not taken.
CREATE TABLE erasure (
  tenant text NOT NULL,
  scope text NOT NULL,
  key text NOT NULL,
  -- Content of turns that began then or earlier.
  before_ms bigint NOT NULL,
  erased_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, scope, key)
);

-- Objects in the bucket whose rows are gone: still to be deleted there.
CREATE TABLE object_erasure (
  object_key text PRIMARY KEY
);

-- Messages that no try could write, until `npm run archive -- replay` can.
CREATE TABLE dead_letter (
  message_id text PRIMARY KEY,
  reason text NOT NULL,
  -- The message as JSON, without its content.
  body text NOT NULL,
  content text,
  -- For erasing, as far as the message could be read.
  tenant text,
  user_id text,
  conversation text,
  response_id text,
  parked_at timestamptz NOT NULL DEFAULT now()
);
