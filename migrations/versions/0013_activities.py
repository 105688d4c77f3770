"""Activities and what they earned, birthdays, and referrals that wait for a first order."""

from alembic import op

revision = "0013"
down_revision = "0012"

TABLES = """
CREATE TABLE activities (
    member_id uuid NOT NULL,
    activity_id text NOT NULL,
    program_id uuid NOT NULL,
    customer_id text NOT NULL,
    type text NOT NULL,
    status text NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    cancelled_at timestamptz,
    properties jsonb NOT NULL,
    award_seqs bigint[] NOT NULL,
    judged jsonb NOT NULL,
    CONSTRAINT pk_activities PRIMARY KEY (member_id, activity_id),
    CONSTRAINT ck_activities_status_is_known CHECK (status IN ('recorded', 'cancelled'))
);
CREATE TABLE birthdays_kept (
    program_id uuid NOT NULL,
    kept_until date NOT NULL,
    CONSTRAINT pk_birthdays_kept PRIMARY KEY (program_id),
    CONSTRAINT fk_birthdays_kept_program_id_programs FOREIGN KEY(program_id) REFERENCES programs (program_id)
);
CREATE TABLE referrals (
    member_id uuid NOT NULL,
    program_id uuid NOT NULL,
    referrer_id uuid NOT NULL,
    status text NOT NULL,
    order_id text,
    ordered_at timestamptz,
    CONSTRAINT pk_referrals PRIMARY KEY (member_id),
    CONSTRAINT ck_referrals_status_is_known CHECK (status IN ('waiting', 'due', 'done', 'refused'))
);
CREATE INDEX ix_referrals_due ON referrals (ordered_at) WHERE status = 'due';
CREATE INDEX ix_members_program_id_birthday ON members (
    program_id, ((extract(month FROM birth_date) * 100 + extract(day FROM birth_date))::integer))
    WHERE birth_date IS NOT NULL;
"""

# Who came through somebody and has bought since was thanked by the rules of then, if at all. Who has not, waits.
REFERRALS = """
INSERT INTO referrals (member_id, program_id, referrer_id, status)
SELECT m.member_id, m.program_id, m.referred_by, CASE
    WHEN m.status = 'closed' THEN 'refused'
    WHEN EXISTS (SELECT FROM orders o WHERE o.member_id = m.member_id AND o.status <> 'cancelled')
        OR EXISTS (SELECT FROM purchase_histories h WHERE h.member_id = m.member_id AND h.orders > 0) THEN 'done'
    ELSE 'waiting' END
FROM members m WHERE m.referred_by IS NOT NULL;
"""

# What was counted of members who were merged belongs to those who stayed.
MERGED = """
CREATE TEMPORARY TABLE heirs ON COMMIT DROP AS
WITH RECURSIVE owners (member_id, owner_id) AS (
    SELECT member_id, member_id FROM members WHERE merged_into IS NULL
    UNION ALL
    SELECT m.member_id, o.owner_id FROM owners o JOIN members m ON m.merged_into = o.member_id)
SELECT * FROM owners WHERE member_id <> owner_id;

INSERT INTO purchase_histories AS t (member_id, orders, quantity, spend, last_at)
SELECT owner_id, sum(orders), sum(quantity), sum(spend), max(last_at)
FROM purchase_histories JOIN heirs USING (member_id) GROUP BY owner_id
ON CONFLICT (member_id) DO UPDATE SET orders = t.orders + excluded.orders, quantity = t.quantity + excluded.quantity,
    spend = t.spend + excluded.spend, last_at = greatest(t.last_at, excluded.last_at);
INSERT INTO category_histories AS t (member_id, category, orders, quantity, spend, last_at)
SELECT owner_id, category, sum(orders), sum(quantity), sum(spend), max(last_at)
FROM category_histories JOIN heirs USING (member_id) GROUP BY owner_id, category
ON CONFLICT (member_id, category) DO UPDATE SET orders = t.orders + excluded.orders,
    quantity = t.quantity + excluded.quantity, spend = t.spend + excluded.spend,
    last_at = greatest(t.last_at, excluded.last_at);
INSERT INTO rule_counts AS t (member_id, rule_code, period, points, times, last_at)
SELECT owner_id, rule_code, period, sum(points), sum(times), max(last_at)
FROM rule_counts JOIN heirs USING (member_id) GROUP BY owner_id, rule_code, period
ON CONFLICT (member_id, rule_code, period) DO UPDATE SET points = t.points + excluded.points,
    times = t.times + excluded.times, last_at = greatest(t.last_at, excluded.last_at);
DELETE FROM purchase_histories WHERE member_id IN (SELECT member_id FROM heirs);
DELETE FROM category_histories WHERE member_id IN (SELECT member_id FROM heirs);
DELETE FROM rule_counts WHERE member_id IN (SELECT member_id FROM heirs);
DROP TABLE heirs;
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(REFERRALS)
    op.execute(MERGED)


def downgrade() -> None:
    op.execute("""
        DROP INDEX ix_members_program_id_birthday;
        DROP TABLE referrals, birthdays_kept, activities;
    """)
