"""What rules ask about members: purchase histories, what rules gave so far, budgets, segments, how an order was judged."""

from alembic import op

revision = "0011"
down_revision = "0010"

TABLES = """
CREATE TABLE purchase_histories (
    member_id uuid NOT NULL,
    orders bigint NOT NULL,
    quantity bigint NOT NULL,
    spend bigint NOT NULL,
    last_at timestamptz NOT NULL,
    CONSTRAINT pk_purchase_histories PRIMARY KEY (member_id)
) WITH (fillfactor = 80);
CREATE TABLE category_histories (
    member_id uuid NOT NULL,
    category text NOT NULL,
    orders bigint NOT NULL,
    quantity bigint NOT NULL,
    spend bigint NOT NULL,
    last_at timestamptz NOT NULL,
    CONSTRAINT pk_category_histories PRIMARY KEY (member_id, category)
) WITH (fillfactor = 80);
CREATE TABLE rule_counts (
    member_id uuid NOT NULL,
    rule_code text NOT NULL,
    period text NOT NULL,
    points bigint NOT NULL,
    times bigint NOT NULL,
    last_at timestamptz NOT NULL,
    CONSTRAINT pk_rule_counts PRIMARY KEY (member_id, rule_code, period)
) WITH (fillfactor = 80);
CREATE TABLE rule_budgets (
    program_id uuid NOT NULL,
    rule_code text NOT NULL,
    spent bigint NOT NULL,
    granted bigint NOT NULL,
    CONSTRAINT pk_rule_budgets PRIMARY KEY (program_id, rule_code),
    CONSTRAINT fk_rule_budgets_program_id_programs FOREIGN KEY(program_id) REFERENCES programs (program_id)
) WITH (fillfactor = 50);
ALTER TABLE earning_rule_sets ADD COLUMN segments jsonb NOT NULL DEFAULT '[]';
ALTER TABLE earning_rule_drafts ADD COLUMN segments jsonb NOT NULL DEFAULT '[]';
ALTER TABLE orders ADD COLUMN judged jsonb NOT NULL DEFAULT '{}';
"""

# Whose an order is today: members may have been merged into others.
OWNERS = """
    SELECT member_id, member_id AS owner_id FROM members WHERE merged_into IS NULL
    UNION ALL
    SELECT m.member_id, o.owner_id FROM owners o JOIN members m ON m.merged_into = o.member_id
"""

# What was bought, line by line, by the arithmetic of `loyalty.rules.history`: the discount of an order is shared by
# largest remainder, a tie goes to the smaller line id, and what came back does not count.
BOUGHT = """
WITH lines AS (
    SELECT o.member_id, o.order_id, o.placed_at, o.discount, l->>'category' AS category, l->>'line_id' AS line_id,
           (l->>'quantity')::bigint AS quantity,
           coalesce((o.returned->'lines'->>(l->>'line_id'))::bigint, 0) AS returned,
           (l->>'quantity')::numeric * (l->>'unit_price')::numeric - (l->>'discount')::numeric AS net
    FROM orders o CROSS JOIN LATERAL jsonb_array_elements(o.lines) l
    WHERE o.customer_id IS NOT NULL
), shares AS (
    SELECT *, sum(net) OVER w AS nets, CASE WHEN sum(net) OVER w = 0 THEN 0 ELSE div(discount * net, sum(net) OVER w) END
           AS share
    FROM lines WINDOW w AS (PARTITION BY member_id, order_id)
), ranked AS (
    SELECT *, discount - sum(share) OVER w AS left_over,
           row_number() OVER (PARTITION BY member_id, order_id ORDER BY CASE WHEN nets = 0 THEN 0
               ELSE mod(discount * net, nets) END DESC, line_id COLLATE "C") AS place
    FROM shares WINDOW w AS (PARTITION BY member_id, order_id)
)
SELECT owner_id, order_id, placed_at, category, quantity - returned AS quantity,
       div((net - share - CASE WHEN place <= left_over THEN 1 ELSE 0 END) * (quantity - returned), quantity)::bigint AS spend
FROM ranked JOIN owners USING (member_id) WHERE quantity > returned
"""

TOTALS = """
SELECT p.owner_id AS member_id, coalesce(b.orders, 0) AS orders, coalesce(b.quantity, 0)::bigint AS quantity,
       coalesce(b.spend, 0)::bigint AS spend, p.last_at
FROM (SELECT owner_id, max(placed_at) AS last_at FROM orders JOIN owners USING (member_id) GROUP BY owner_id) p
LEFT JOIN (SELECT owner_id, count(DISTINCT order_id) AS orders, sum(quantity) AS quantity, sum(spend) AS spend
           FROM bought GROUP BY owner_id) b USING (owner_id)
"""

BY_CATEGORY = """
SELECT owner_id AS member_id, path AS category, count(DISTINCT order_id) AS orders, sum(quantity)::bigint AS quantity,
       sum(spend)::bigint AS spend, max(placed_at) AS last_at
FROM bought CROSS JOIN LATERAL (
    SELECT array_to_string((string_to_array(category, ' > '))[1 : depth], ' > ') AS path
    FROM generate_series(1, cardinality(string_to_array(category, ' > '))) depth) p
WHERE category IS NOT NULL GROUP BY owner_id, path
"""

BACKFILL = f"""
CREATE TEMPORARY TABLE owners ON COMMIT DROP AS WITH RECURSIVE owners (member_id, owner_id) AS ({OWNERS})
SELECT * FROM owners;
CREATE TEMPORARY TABLE bought ON COMMIT DROP AS {BOUGHT};
INSERT INTO purchase_histories (member_id, orders, quantity, spend, last_at) {TOTALS};
INSERT INTO category_histories (member_id, category, orders, quantity, spend, last_at) {BY_CATEGORY};
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(BACKFILL)


def downgrade() -> None:
    op.execute("""
        ALTER TABLE orders DROP COLUMN judged;
        ALTER TABLE earning_rule_drafts DROP COLUMN segments;
        ALTER TABLE earning_rule_sets DROP COLUMN segments;
        DROP TABLE rule_budgets, rule_counts, category_histories, purchase_histories;
    """)
