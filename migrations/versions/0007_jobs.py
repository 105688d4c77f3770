"""The queue of background jobs, and the indexes by which jobs find their work."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"

# The schema of procrastinate 3.10, as that version ships it. A copy and not the installed file: whoever migrates in a
# year gets what this revision meant, and the next one starts from there. A test compares the copy with the installed
# version, so that an upgrade which brings another schema comes with a migration.
QUEUE = Path(__file__).with_suffix(".sql")

INDEXES = """
CREATE INDEX ix_accounts_next_change_at ON accounts (next_change_at) WHERE next_change_at IS NOT NULL;
CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);
"""

NO_QUEUE = """
DROP TABLE procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs, procrastinate_workers CASCADE;
DO $$
DECLARE made regprocedure;
BEGIN
    FOR made IN SELECT p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = current_schema AND p.proname LIKE 'procrastinate\\_%'
    LOOP
        EXECUTE format('DROP FUNCTION %s', made);
    END LOOP;
END $$;
DROP TYPE procrastinate_job_to_defer_v1, procrastinate_job_event_type, procrastinate_job_status;
"""


def upgrade() -> None:
    """Apply."""
    op.get_bind().connection.cursor().execute(QUEUE.read_text(encoding="utf-8"))
    op.execute(INDEXES)


def downgrade() -> None:
    """Take back."""
    op.execute("DROP INDEX ix_idempotency_keys_created_at, ix_accounts_next_change_at")
    op.get_bind().connection.cursor().execute(NO_QUEUE)
