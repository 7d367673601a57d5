-- The audit log: every call and every change is in a leaf of one Merkle tree that only grows (RFC 6962). What leaves say is kept for a
-- time; their hashes stay, so that everything that was ever shown can be checked against the tree of any later day.

-- One row. Leaves get their places while their transaction commits, which is the only time that it is held: they become visible in their
-- order, and nobody who writes waits for the way between somebody else's statements.
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
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  leaf        bigint UNIQUE,
  unplaced    bytea, -- the hash of the leaf, until the commit gives it its place
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
  ADD COLUMN unplaced    bytea, -- as above
  ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT now();
UPDATE activity_pages p SET machine_id = a.machine_id FROM user_external_apis a WHERE a.id = p.api_id;
ALTER TABLE activity_pages ALTER COLUMN machine_id SET NOT NULL;
CREATE INDEX activity_pages_by_leaf ON activity_pages (api_id, leaf);
CREATE INDEX activity_pages_by_machine ON activity_pages (machine_id);
CREATE INDEX activity_pages_by_age ON activity_pages (recorded_at);

-- Seen by a transaction here are only its own rows: those of others get their places before anybody sees them.
CREATE INDEX activity_pages_unplaced ON activity_pages (api_id, last_seq) WHERE unplaced IS NOT NULL;
CREATE INDEX audit_changes_unplaced ON audit_changes (id) WHERE unplaced IS NOT NULL;

-- Appends the leaves of the committing transaction, pages of calls first. RFC 6962, section 2.1: SHA-256(01 || left || right).
CREATE FUNCTION audit_place() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  new_size  bigint;
  new_peaks bytea;
  one       record;
  node      bytea;
  height    int;
  at        bigint;
BEGIN
  -- It is called for each row at the commit, behind which none is added; the first call brings in all of them. The mark names the
  -- transaction, so that nobody can set it beforehand.
  IF current_setting('zeq.leaves_placed', true) = pg_current_xact_id()::text THEN
    RETURN NULL;
  END IF;
  SELECT size, peaks INTO STRICT new_size, new_peaks FROM audit_head FOR UPDATE;
  FOR one IN
    SELECT api_id, last_seq, NULL::bigint AS id, unplaced FROM activity_pages WHERE unplaced IS NOT NULL
    UNION ALL
    SELECT NULL, NULL, id, unplaced FROM audit_changes WHERE unplaced IS NOT NULL
    ORDER BY id NULLS FIRST, api_id, last_seq
  LOOP
    node := one.unplaced;
    height := 0;
    at := new_size;
    INSERT INTO audit_nodes (level, place, hash) VALUES (0, at, node);
    WHILE at % 2 = 1 LOOP
      node := sha256('\x01'::bytea || substring(new_peaks FROM octet_length(new_peaks) - 31) || node);
      new_peaks := substring(new_peaks FROM 1 FOR octet_length(new_peaks) - 32);
      height := height + 1;
      at := at / 2;
      INSERT INTO audit_nodes (level, place, hash) VALUES (height, at, node);
    END LOOP;
    new_peaks := new_peaks || node;
    IF one.id IS NULL THEN
      UPDATE activity_pages SET leaf = new_size, unplaced = NULL WHERE api_id = one.api_id AND last_seq = one.last_seq;
    ELSE
      UPDATE audit_changes SET leaf = new_size, unplaced = NULL WHERE id = one.id;
    END IF;
    new_size := new_size + 1;
  END LOOP;
  UPDATE audit_head SET size = new_size, peaks = new_peaks;
  PERFORM set_config('zeq.leaves_placed', pg_current_xact_id()::text, true);
  RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER audit_place AFTER INSERT ON activity_pages DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.unplaced IS NOT NULL) EXECUTE FUNCTION audit_place();
CREATE CONSTRAINT TRIGGER audit_place AFTER INSERT ON audit_changes DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.unplaced IS NOT NULL) EXECUTE FUNCTION audit_place();

-- The root over the peaks; that of no leaf is the hash of nothing.
CREATE FUNCTION audit_root(peaks bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  rest int := octet_length(peaks) - 32;
  root bytea;
BEGIN
  IF rest < 0 THEN
    RETURN sha256('');
  END IF;
  root := substring(peaks FROM rest + 1);
  WHILE rest > 0 LOOP
    root := sha256('\x01'::bytea || substring(peaks FROM rest - 31 FOR 32) || root);
    rest := rest - 32;
  END LOOP;
  RETURN root;
END
$$;
