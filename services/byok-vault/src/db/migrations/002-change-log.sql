-- What gateways and forwarders have to forget. A change is written in the transaction that makes it.

-- One row. Who takes a number holds its lock until the commit, so numbers become visible in order and without gaps.
CREATE TABLE change_head (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  epoch    text NOT NULL,
  seq      bigint NOT NULL
);
INSERT INTO change_head (epoch, seq) VALUES (replace(gen_random_uuid()::text, '-', ''), 0);

CREATE TABLE change_log (
  seq        bigint PRIMARY KEY,
  what       text NOT NULL,
  machine_id text NOT NULL,
  subject_id text NOT NULL,
  at         timestamptz NOT NULL
);
