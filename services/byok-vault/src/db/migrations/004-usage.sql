-- How much each API was used, and its latest calls. The forwarders report; nothing here names a query, a header or a secret.

-- Every call is counted in exactly one of the three tables usage_minute, usage_hour and usage_day: a row is moved to the next
-- one when it is old, in the same statement that removes it. So nothing is counted twice, and figures of any step are sums.
CREATE TABLE usage_minute (
  api_id     text COLLATE "C" NOT NULL REFERENCES user_external_apis ON DELETE CASCADE,
  at         timestamptz NOT NULL,
  requests   bigint NOT NULL,
  sent       bigint NOT NULL,
  errors     bigint NOT NULL,
  aborted    bigint NOT NULL,
  websockets bigint NOT NULL,
  tests      bigint NOT NULL,
  bytes_in   bigint NOT NULL,
  bytes_out  bigint NOT NULL,
  tokens_in  bigint NOT NULL,
  tokens_out bigint NOT NULL,
  -- Counts by name: of status classes, of problem codes, and of the parts of a histogram.
  status     jsonb NOT NULL,
  refused    jsonb NOT NULL,
  latency    jsonb NOT NULL,
  PRIMARY KEY (api_id, at)
);
CREATE INDEX usage_minute_by_age ON usage_minute (at);

CREATE TABLE usage_hour (
  LIKE usage_minute INCLUDING INDEXES,
  FOREIGN KEY (api_id) REFERENCES user_external_apis ON DELETE CASCADE
);
CREATE TABLE usage_day (
  LIKE usage_minute INCLUDING INDEXES,
  FOREIGN KEY (api_id) REFERENCES user_external_apis ON DELETE CASCADE
);

-- {"a": 1} and {"a": 2, "b": 1} make {"a": 3, "b": 1}.
CREATE FUNCTION usage_add(one jsonb, two jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(jsonb_object_agg(key, n), '{}'::jsonb)
  FROM (
    SELECT key, sum(value::bigint) AS n
    FROM (SELECT * FROM jsonb_each_text(one) UNION ALL SELECT * FROM jsonb_each_text(two)) AS counts
    GROUP BY key
  ) AS summed
$$;
CREATE AGGREGATE usage_sum(jsonb) (SFUNC = usage_add, STYPE = jsonb, INITCOND = '{}');

-- The last batch that was counted of each forwarder process. One sends its batches one after another and each of them until it
-- is answered, so that the number alone tells a repetition.
CREATE TABLE usage_sources (
  instance text PRIMARY KEY,
  seq      bigint NOT NULL,
  heard_at timestamptz NOT NULL
);
CREATE INDEX usage_sources_by_age ON usage_sources (heard_at);

-- The latest calls of each API, numbered without gaps from 1. Whoever appends holds the row of activity_heads until the commit:
-- numbers become visible in their order, so a reader that asks for what follows its last number misses nothing.
CREATE TABLE activity_heads (
  api_id text COLLATE "C" PRIMARY KEY REFERENCES user_external_apis ON DELETE CASCADE,
  seq    bigint NOT NULL
);
-- A page holds what one report brought of an API, as deflated JSON: its last call has the number last_seq. One row per call would cost ten
-- times as much to write, and nobody ever asks for calls but by their place in this order.
CREATE TABLE activity_pages (
  api_id   text COLLATE "C" NOT NULL REFERENCES user_external_apis ON DELETE CASCADE,
  last_seq bigint NOT NULL,
  calls    bytea NOT NULL,
  PRIMARY KEY (api_id, last_seq)
);
ALTER TABLE activity_pages ALTER COLUMN calls SET STORAGE EXTERNAL; -- it is packed already
