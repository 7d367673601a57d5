-- Machines (the tenants), their keys, the APIs they registered, and the tokens of their apps.
-- Ids are compared byte by byte, so that lists have one order under every locale.

CREATE TABLE machines (
  id           text COLLATE "C" PRIMARY KEY,
  slug         text NOT NULL CONSTRAINT machines_slug UNIQUE,
  display_name text NOT NULL,
  -- The salt of every key derived for this tenant: one tenant's ciphertexts are useless under another's key.
  kdf_salt     bytea NOT NULL CHECK (octet_length(kdf_salt) = 32),
  created_at   timestamptz NOT NULL
);
CREATE INDEX machines_by_age ON machines (created_at, id);

-- How often each derived key has encrypted: random 96-bit IVs are safe for 2^32 writes (NIST SP 800-38D, section 8.3).
-- One row per tenant and master key; a new salt begins anew.
CREATE TABLE key_writes (
  machine_id  text NOT NULL REFERENCES machines ON DELETE CASCADE,
  kid         text NOT NULL,
  encryptions bigint NOT NULL CHECK (encryptions >= 0),
  PRIMARY KEY (machine_id, kid)
);

CREATE TABLE machine_keys (
  id         text COLLATE "C" PRIMARY KEY,
  machine_id text NOT NULL REFERENCES machines ON DELETE CASCADE,
  name       text NOT NULL,
  prefix     text NOT NULL,
  key_sha256 text NOT NULL CONSTRAINT machine_keys_sha256 UNIQUE,
  scope      text NOT NULL CHECK (scope IN ('owner', 'forward', 'read')),
  created_at timestamptz NOT NULL,
  expires_at timestamptz
);
CREATE INDEX machine_keys_by_machine ON machine_keys (machine_id, created_at, id);

-- Every column but the three auth_header_* ones is bound to the credential: see bound-columns.ts. Structured values are text
-- that holds JSON, because what is bound has to come back byte for byte.
CREATE TABLE user_external_apis (
  id                 text COLLATE "C" PRIMARY KEY,
  machine_id         text NOT NULL REFERENCES machines ON DELETE CASCADE,
  name               text NOT NULL,
  provider           text,
  base_url           text NOT NULL,
  base_origin        text NOT NULL,
  auth_shape         text,
  auth_hint          text,
  warnings           text NOT NULL,
  rate_limit_per_min integer NOT NULL,
  extra_headers      text NOT NULL,
  policy             text NOT NULL,
  schema             text,
  created_at         timestamptz NOT NULL,
  updated_at         timestamptz NOT NULL,
  auth_header_enc    bytea,
  auth_header_iv     bytea,
  auth_header_kid    text,
  CONSTRAINT user_external_apis_name UNIQUE (machine_id, name),
  CHECK ((auth_header_enc IS NULL) = (auth_header_iv IS NULL)),
  CHECK ((auth_header_enc IS NULL) = (auth_header_kid IS NULL))
);
CREATE INDEX user_external_apis_by_age ON user_external_apis (machine_id, created_at, id);
CREATE INDEX user_external_apis_by_kid ON user_external_apis (auth_header_kid, id);

CREATE TABLE app_tokens (
  id                    text COLLATE "C" PRIMARY KEY,
  machine_id            text NOT NULL REFERENCES machines ON DELETE CASCADE,
  name                  text NOT NULL,
  prefix                text NOT NULL,
  token_sha256          text NOT NULL CONSTRAINT app_tokens_sha256 UNIQUE,
  allowed_methods       text,
  allowed_path_prefixes text,
  rate_limit_per_min    integer,
  created_at            timestamptz NOT NULL,
  expires_at            timestamptz
);
CREATE INDEX app_tokens_by_machine ON app_tokens (machine_id, created_at, id);

-- Which APIs a token covers; a token that covers none any more is removed with the last of them.
CREATE TABLE app_token_apis (
  token_id text NOT NULL REFERENCES app_tokens ON DELETE CASCADE,
  api_id   text NOT NULL REFERENCES user_external_apis ON DELETE CASCADE,
  PRIMARY KEY (token_id, api_id)
);
CREATE INDEX app_token_apis_by_api ON app_token_apis (api_id);
