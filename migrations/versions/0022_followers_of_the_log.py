"""How far those that act on facts have come in the log."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Apply."""
    op.execute("""
        CREATE TABLE followers (
            name text NOT NULL, program_id uuid NOT NULL, xid bigint NOT NULL, seq bigint NOT NULL,
            CONSTRAINT pk_followers PRIMARY KEY (name, program_id)
        );
        -- What happened before there were messages is not told of now.
        INSERT INTO followers (name, program_id, xid, seq)
        SELECT 'notifications', program_id, pg_snapshot_xmin(pg_current_snapshot())::text::bigint, -1 FROM programs;
    """)


def downgrade() -> None:
    """Take back: whoever follows begins again."""
    op.execute("DROP TABLE followers")
