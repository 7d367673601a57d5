CREATE TABLE tesc_channels (
  id text PRIMARY KEY,
  name text,
  owner_id text NOT NULL,
  created_at bigint NOT NULL,
  message_ttl_seconds int NOT NULL,
  seed bytea NOT NULL,
  salt bytea NOT NULL,
  depth bigint NOT NULL DEFAULT 0,
  chain bytea NOT NULL
);
CREATE INDEX tesc_channels_owner ON tesc_channels (owner_id);

-- The secret of a channel, AES-256-GCM with a commitment: packages/crypto/src/field.ts.
CREATE TABLE tesc_keys (
  channel_id text NOT NULL REFERENCES tesc_channels (id) ON DELETE CASCADE,
  version int NOT NULL,
  secret_enc bytea NOT NULL,
  secret_iv bytea NOT NULL,
  secret_kid text NOT NULL,
  retires_at bigint,
  PRIMARY KEY (channel_id, version)
);
CREATE INDEX tesc_keys_kid ON tesc_keys (secret_kid);

CREATE TABLE tesc_members (
  channel_id text NOT NULL REFERENCES tesc_channels (id) ON DELETE CASCADE,
  uid text NOT NULL,
  machine_id text NOT NULL,
  joined_at bigint NOT NULL,
  plat bytea NOT NULL,
  PRIMARY KEY (channel_id, uid)
);
CREATE INDEX tesc_members_machine ON tesc_members (machine_id);

CREATE TABLE tesc_messages (
  channel_id text NOT NULL REFERENCES tesc_channels (id) ON DELETE CASCADE,
  seq bigint NOT NULL,
  uid text NOT NULL,
  zeqond bigint NOT NULL,
  prev bytea NOT NULL,
  iv bytea NOT NULL,
  ciphertext bytea NOT NULL,
  plat bytea NOT NULL,
  chain bytea NOT NULL,
  key_version int NOT NULL,
  received_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  PRIMARY KEY (channel_id, seq),
  UNIQUE (channel_id, plat)
);
CREATE INDEX tesc_messages_expiry ON tesc_messages (expires_at);
