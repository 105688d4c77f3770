"""The clock of a sandbox may run ahead of the real one."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Apply."""
    op.execute("""
    ALTER TABLE programs ADD COLUMN clock_ahead interval NOT NULL DEFAULT '0',
        ADD CONSTRAINT ck_programs_clock_of_a_sandbox_runs_ahead
            CHECK (clock_ahead >= '0' AND (sandbox OR clock_ahead = '0'));
    """)


def downgrade() -> None:
    """Take back: all clocks are the real one again."""
    op.execute("ALTER TABLE programs DROP CONSTRAINT ck_programs_clock_of_a_sandbox_runs_ahead, DROP COLUMN clock_ahead")
