"""Programs, the keys that open them, and the keys of requests."""

from alembic import op

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE programs (
    program_id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    currency text NOT NULL,
    time_zone text NOT NULL,
    locale text NOT NULL,
    sandbox boolean NOT NULL,
    settings jsonb NOT NULL,
    version bigint NOT NULL,
    config_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT pk_programs PRIMARY KEY (program_id),
    CONSTRAINT uq_programs_code UNIQUE (code),
    CONSTRAINT ck_programs_currency_is_iso_4217 CHECK (currency ~ '^[A-Z]{3}$')
);
CREATE TABLE api_keys (
    key_id uuid NOT NULL,
    program_id uuid NOT NULL,
    prefix text NOT NULL,
    secret_hash bytea NOT NULL,
    name text NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT pk_api_keys PRIMARY KEY (key_id),
    CONSTRAINT fk_api_keys_program_id FOREIGN KEY(program_id) REFERENCES programs (program_id)
);
CREATE INDEX ix_api_keys_program_id_key_id ON api_keys (program_id, key_id);
CREATE UNIQUE INDEX uq_api_keys_secret_hash ON api_keys (secret_hash);
CREATE TABLE idempotency_keys (
    program_id uuid NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint,
    body bytea,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (program_id, key)
);
"""


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)


def downgrade() -> None:
    """Take back."""
    op.execute("DROP TABLE idempotency_keys, api_keys, programs")
