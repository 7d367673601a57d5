-- Rotation of the master key: one row per run; the work itself is done by whichever vaults hold the new key.
CREATE TABLE rotations (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  to_kid      text NOT NULL,
  state       text NOT NULL CHECK (state IN ('running', 'done', 'cancelled')),
  rows_total  bigint NOT NULL,
  rows_done   bigint NOT NULL DEFAULT 0,
  started_at  timestamptz NOT NULL,
  finished_at timestamptz
);
-- At most one at a time.
CREATE UNIQUE INDEX rotations_running ON rotations (state) WHERE state = 'running';

-- Rows that did not open under their key: left as they are, and left out, so that one of them never stops the others.
CREATE TABLE rotation_failures (
  table_name text NOT NULL,
  row_id     text NOT NULL,
  kid        text NOT NULL,
  at         timestamptz NOT NULL,
  PRIMARY KEY (table_name, row_id)
);
