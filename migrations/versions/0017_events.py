"""The log of facts, which only grows: in the order of transactions, so that whoever follows it misses nothing."""

from alembic import op

revision = "0017"
down_revision = "0016"

TABLE = r"""
CREATE TABLE events (
    owner_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    program_id uuid NOT NULL,
    type text NOT NULL,
    version integer NOT NULL,
    customer_id text,
    recorded_at timestamptz NOT NULL,
    xid bigint DEFAULT pg_current_xact_id()::text::bigint NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    data jsonb NOT NULL,
    CONSTRAINT pk_events PRIMARY KEY (owner_id, occurred_at, event_id),
    CONSTRAINT ck_events_type_is_dotted CHECK (type ~ '^[a-z_]+(\.[a-z_]+)+$'),
    CONSTRAINT ck_events_version_positive CHECK (version > 0),
    CONSTRAINT ck_events_owner_is_member_or_program CHECK ((customer_id IS NULL) = (owner_id = program_id)),
    CONSTRAINT ck_events_data_is_an_object CHECK (jsonb_typeof(data) = 'object')
);
CREATE INDEX ix_events_program_id_xid_seq ON events (program_id, xid, seq);
CREATE INDEX ix_events_program_id_type_xid_seq ON events (program_id, type, xid, seq);
CREATE TRIGGER events_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history();
"""


def upgrade() -> None:
    """Apply."""
    op.execute(TABLE)


def downgrade() -> None:
    """Take back. What was told is lost."""
    op.execute("DROP TABLE events")
