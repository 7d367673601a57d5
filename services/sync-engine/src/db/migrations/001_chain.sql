-- One row per chain: who it is, where it stands, and who may append.
CREATE TABLE sync_chain (
  uid text PRIMARY KEY,
  seed bytea NOT NULL,
  public_key bytea NOT NULL,
  depth bigint NOT NULL DEFAULT 0,
  zeqond bigint NOT NULL DEFAULT 0,
  plat bytea NOT NULL,
  chain bytea NOT NULL,
  holder text,
  token bigint NOT NULL DEFAULT 0,
  lease_until timestamptz NOT NULL DEFAULT '-infinity'
);

-- The record is the 256 bytes of store/tick-record.ts, the same as in the files.
CREATE TABLE sync_ticks (
  uid text NOT NULL REFERENCES sync_chain (uid),
  depth bigint NOT NULL,
  zeqond bigint NOT NULL,
  token bigint NOT NULL,
  record bytea NOT NULL,
  PRIMARY KEY (uid, depth),
  UNIQUE (uid, zeqond)
);
