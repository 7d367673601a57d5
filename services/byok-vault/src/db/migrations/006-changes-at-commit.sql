-- Changes get their numbers while their transaction commits. Before, whoever had written one held change_head until the commit, and over a slow
-- connection everybody else who changed something waited for that longer than they may.

-- What a transaction is to announce; empty for everybody else.
CREATE TABLE change_outbox (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  what       text NOT NULL,
  machine_id text NOT NULL,
  subject_id text NOT NULL
);

CREATE FUNCTION change_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM change_outbox WHERE id = NEW.id;
  WITH head AS (UPDATE change_head SET seq = seq + 1 RETURNING seq)
  INSERT INTO change_log (seq, what, machine_id, subject_id, at)
  SELECT seq, NEW.what, NEW.machine_id, NEW.subject_id, now() FROM head;
  PERFORM pg_notify('zeq_changes', '');
  RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER change_number AFTER INSERT ON change_outbox DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION change_number();
