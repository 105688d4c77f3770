"""Orders, and a view of their lines as rows."""

from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = """
CREATE TABLE orders (
    member_id uuid NOT NULL,
    order_id text NOT NULL,
    program_id uuid NOT NULL,
    customer_id text,
    status text NOT NULL,
    currency text NOT NULL,
    placed_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    total bigint NOT NULL,
    shipping bigint NOT NULL,
    discount bigint NOT NULL,
    points_paid bigint NOT NULL,
    channel text,
    lines jsonb NOT NULL,
    metadata jsonb NOT NULL,
    receipt text NOT NULL,
    CONSTRAINT pk_orders PRIMARY KEY (member_id, order_id),
    CONSTRAINT ck_orders_status_is_known CHECK (status IN ('recorded', 'confirmed', 'cancelled')),
    CONSTRAINT ck_orders_total_not_negative CHECK (total >= 0)
);
"""

LINES = """
CREATE VIEW order_lines AS
SELECT o.member_id, o.order_id, o.program_id, o.placed_at, l.*
FROM orders o CROSS JOIN LATERAL jsonb_to_recordset(o.lines) AS l(
    line_id text, sku text, category text, quantity bigint, unit_price bigint, discount bigint, tax bigint);
"""


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)
    op.execute(LINES)


def downgrade() -> None:
    """Take back."""
    op.execute("DROP VIEW order_lines")
    op.execute("DROP TABLE orders")
