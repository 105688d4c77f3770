"""Members, and the registry of the shop's own ids."""

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = """
CREATE TABLE natural_keys (
    program_id uuid NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    member_id uuid NOT NULL,
    fingerprint bytea,
    CONSTRAINT pk_natural_keys PRIMARY KEY (program_id, kind, key)
);
CREATE TABLE members (
    member_id uuid NOT NULL,
    program_id uuid NOT NULL,
    customer_id text NOT NULL,
    status text NOT NULL,
    enrolled_at timestamptz NOT NULL,
    email text,
    phone text,
    first_name text,
    last_name text,
    birth_date date,
    locale text,
    attributes jsonb NOT NULL,
    consents jsonb NOT NULL,
    referral_code text NOT NULL,
    referred_by uuid,
    version bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pk_members PRIMARY KEY (member_id),
    CONSTRAINT ck_members_status_is_known CHECK (status IN ('active', 'suspended', 'closed')),
    CONSTRAINT fk_members_program_id FOREIGN KEY(program_id) REFERENCES programs (program_id)
);
CREATE INDEX ix_members_program_id_email ON members (program_id, lower(email)) WHERE email IS NOT NULL;
CREATE INDEX ix_members_program_id_phone ON members (program_id, phone) WHERE phone IS NOT NULL;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)


def downgrade() -> None:
    """Take back."""
    op.execute("DROP TABLE members, natural_keys")
