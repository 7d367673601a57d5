-- The audit log: every call and every change is in a leaf of one Merkle tree that only grows (RFC 6962). What leaves say is kept for a
-- time; their hashes stay, so that everything that was ever shown can be checked against the tree of any later day.

-- One row. Whoever appends holds it until the commit, always as the last lock of the transaction: leaves become visible in their order.
CREATE TABLE audit_head (
  only_row      boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  size          bigint NOT NULL,
  -- The roots of the complete subtrees that the tree is made of, 32 bytes each, the largest first.
  peaks         bytea NOT NULL,
  -- The head that the clock took last, when it did, and the Zeqond in which it first took this one.
  closed_size   bigint NOT NULL DEFAULT 0,
  closed_root   bytea,
  closed_zeqond bigint,
  closed_at     timestamptz
);
INSERT INTO audit_head (size, peaks) VALUES (0, '');

-- Every complete subtree: the hash over the 2^level leaves from place * 2^level on. Rows are added and never changed.
CREATE TABLE audit_nodes (
  level smallint NOT NULL,
  place bigint NOT NULL,
  hash  bytea NOT NULL CHECK (octet_length(hash) = 32),
  PRIMARY KEY (level, place)
);

-- What the leaves of changes say, as the canonical JSON that was hashed.
CREATE TABLE audit_changes (
  leaf        bigint PRIMARY KEY,
  machine_id  text COLLATE "C",
  api_ids     text[], -- null: every API of the machine
  what        text NOT NULL,
  subject_id  text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  change      text NOT NULL
);
CREATE INDEX audit_changes_by_machine ON audit_changes (machine_id, leaf);
CREATE INDEX audit_changes_of_removed ON audit_changes (subject_id) WHERE what = 'api_removed';
CREATE INDEX audit_changes_by_age ON audit_changes (recorded_at);

-- A page of calls is a leaf as well; those from before this table have none. Pages outlive their API, because a record that goes with
-- what it accuses is none; they go with their machine, and when they are old.
ALTER TABLE activity_pages DROP CONSTRAINT activity_pages_api_id_fkey;
ALTER TABLE activity_heads DROP CONSTRAINT activity_heads_api_id_fkey;
ALTER TABLE activity_pages
  ADD COLUMN machine_id  text COLLATE "C",
  ADD COLUMN leaf        bigint UNIQUE,
  ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT now();
UPDATE activity_pages p SET machine_id = a.machine_id FROM user_external_apis a WHERE a.id = p.api_id;
ALTER TABLE activity_pages ALTER COLUMN machine_id SET NOT NULL;
CREATE INDEX activity_pages_by_leaf ON activity_pages (api_id, leaf);
CREATE INDEX activity_pages_by_machine ON activity_pages (machine_id);
CREATE INDEX activity_pages_by_age ON activity_pages (recorded_at);
