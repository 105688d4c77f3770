"""Orders by the time at which they were placed: what was sold lately is asked for by the check of earning rules."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("CREATE INDEX ix_orders_program_id_placed_at ON orders (program_id, placed_at)")


def downgrade() -> None:
    op.execute("DROP INDEX ix_orders_program_id_placed_at")
