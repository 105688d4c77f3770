"""What the nightly count expects of members."""

from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Apply. Finished counts have none; the next one has."""
    op.execute("ALTER TABLE feature_statistics ADD COLUMN outlook JSONB")


def downgrade() -> None:
    """Take back. What was expected is forgotten."""
    op.execute("ALTER TABLE feature_statistics DROP COLUMN outlook")
