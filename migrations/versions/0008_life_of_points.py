"""The life of points: holds, debts, inactivity, what is upcoming, and checkpoints for reading the past."""

from alembic import op

revision = "0008"
down_revision = "0007"

COLUMNS = """
ALTER TABLE accounts
    ADD COLUMN latest_at timestamptz,
    ADD COLUMN known_at timestamptz,
    ADD COLUMN idle jsonb NOT NULL DEFAULT '{}';
ALTER TABLE entries
    ADD COLUMN known_at timestamptz,
    ADD COLUMN late boolean NOT NULL DEFAULT false,
    ADD COLUMN matures_at timestamptz,
    ADD COLUMN expires_at timestamptz;
ALTER TABLE lots
    ADD COLUMN held bigint NOT NULL DEFAULT 0,
    ADD COLUMN deadline_at timestamptz,
    ADD COLUMN expiry text,
    ADD COLUMN origin_member_id uuid,
    ADD COLUMN origin_seq bigint;
ALTER TABLE allocations ADD COLUMN held bigint NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN merged_into uuid;
ALTER TABLE orders
    ADD COLUMN award_seqs bigint[] NOT NULL DEFAULT '{}',
    ADD COLUMN returned jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN confirmed_at timestamptz;
"""

TABLES = """
CREATE TABLE holds (
    member_id uuid NOT NULL,
    hold_id text NOT NULL,
    unit text NOT NULL,
    points bigint NOT NULL,
    captured bigint NOT NULL,
    status text NOT NULL,
    seq bigint NOT NULL,
    held_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    resolved_at timestamptz,
    order_id text,
    reason text,
    CONSTRAINT pk_holds PRIMARY KEY (member_id, hold_id),
    CONSTRAINT fk_holds_member_id_seq FOREIGN KEY(member_id, seq) REFERENCES entries (member_id, seq),
    CONSTRAINT ck_holds_status_is_known CHECK (status IN ('held', 'captured', 'released', 'expired')),
    CONSTRAINT ck_holds_captured_within_points CHECK (captured BETWEEN 0 AND points AND points > 0),
    CONSTRAINT ck_holds_resolved_when_not_held CHECK ((status = 'held') = (resolved_at IS NULL))
);
CREATE INDEX ix_holds_open ON holds (member_id, unit, expires_at) WHERE status = 'held';
CREATE TABLE debts (
    member_id uuid NOT NULL,
    seq bigint NOT NULL,
    unit text NOT NULL,
    points bigint NOT NULL,
    remaining bigint NOT NULL,
    incurred_at timestamptz NOT NULL,
    order_id text,
    reference text,
    CONSTRAINT pk_debts PRIMARY KEY (member_id, seq),
    CONSTRAINT fk_debts_member_id_seq FOREIGN KEY(member_id, seq) REFERENCES entries (member_id, seq),
    CONSTRAINT ck_debts_remaining_within_points CHECK (remaining BETWEEN 0 AND points AND points > 0)
);
CREATE INDEX ix_debts_open ON debts (member_id, unit, seq) WHERE remaining > 0;
CREATE TABLE upcoming (
    member_id uuid NOT NULL,
    unit text NOT NULL,
    at timestamptz NOT NULL,
    maturing bigint NOT NULL,
    expiring bigint NOT NULL,
    CONSTRAINT pk_upcoming PRIMARY KEY (member_id, unit, at)
) WITH (fillfactor = 80);
CREATE TABLE checkpoints (
    member_id uuid NOT NULL,
    unit text NOT NULL,
    seq bigint NOT NULL,
    available bigint NOT NULL,
    pending bigint NOT NULL,
    held bigint NOT NULL,
    debt bigint NOT NULL,
    lifetime_earned bigint NOT NULL,
    lifetime_spent bigint NOT NULL,
    latest_at timestamptz NOT NULL,
    known_at timestamptz NOT NULL,
    CONSTRAINT pk_checkpoints PRIMARY KEY (member_id, unit, seq),
    CONSTRAINT fk_checkpoints_member_id_seq FOREIGN KEY(member_id, seq) REFERENCES entries (member_id, seq)
);
CREATE INDEX ix_checkpoints_latest_at ON checkpoints (member_id, unit, latest_at, seq);
CREATE INDEX ix_checkpoints_known_at ON checkpoints (member_id, unit, known_at, seq);
CREATE TABLE returns (
    member_id uuid NOT NULL,
    order_id text NOT NULL,
    return_id text NOT NULL,
    program_id uuid NOT NULL,
    returned_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    lines jsonb NOT NULL,
    points jsonb NOT NULL,
    CONSTRAINT pk_returns PRIMARY KEY (member_id, order_id, return_id)
);
CREATE TABLE receipts (
    member_id uuid NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    body text NOT NULL,
    CONSTRAINT pk_receipts PRIMARY KEY (member_id, kind, key)
);
"""

# What was written before these columns existed. Only here may history be touched: nothing of what it says is changed.
BACKFILL = """
ALTER TABLE entries DISABLE TRIGGER entries_only_grow;
UPDATE entries e SET known_at = w.known_at, late = w.late, matures_at = l.matures_at, expires_at = l.expires_at
FROM (SELECT member_id, seq,
             max(greatest(recorded_at, occurred_at)) OVER (PARTITION BY member_id ORDER BY seq) AS known_at,
             coalesce(occurred_at < max(occurred_at) OVER (PARTITION BY member_id, unit ORDER BY seq
                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS late
      FROM entries) w
LEFT JOIN lots l ON l.member_id = w.member_id AND l.seq = w.seq
WHERE e.member_id = w.member_id AND e.seq = w.seq;
UPDATE entries e SET matures_at = l.matures_at, expires_at = l.expires_at
FROM lots l WHERE e.kind = 'mature' AND l.member_id = e.member_id AND l.seq::text = e.reference;
ALTER TABLE entries ENABLE TRIGGER entries_only_grow;
UPDATE accounts a SET latest_at = e.latest_at, known_at = e.known_at
FROM (SELECT member_id, unit, max(occurred_at) AS latest_at, max(known_at) AS known_at
      FROM entries GROUP BY member_id, unit) e
WHERE a.member_id = e.member_id AND a.unit = e.unit;
INSERT INTO upcoming (member_id, unit, at, maturing, expiring)
SELECT member_id, unit, at, sum(maturing), sum(expiring) FROM (
    SELECT member_id, unit, expires_at AS at, 0 AS maturing, remaining AS expiring FROM lots
    WHERE remaining > 0 AND expires_at IS NOT NULL
    UNION ALL
    SELECT member_id, unit, matures_at, remaining, 0 FROM lots WHERE remaining > 0 AND pending) u
GROUP BY member_id, unit, at;
INSERT INTO checkpoints
SELECT member_id, unit, seq, available, pending, held, debt, earned, spent, latest_at, known_at FROM (
    SELECT member_id, unit, seq, sum(available) OVER w AS available, sum(pending) OVER w AS pending,
           sum(held) OVER w AS held, sum(debt) OVER w AS debt,
           coalesce(sum(points) FILTER (WHERE kind = 'earn') OVER w, 0) AS earned,
           coalesce(-sum(points) FILTER (WHERE kind = 'redeem') OVER w, 0) AS spent,
           max(occurred_at) OVER w AS latest_at, max(known_at) OVER w AS known_at
    FROM entries WINDOW w AS (PARTITION BY member_id, unit ORDER BY seq)) e
WHERE seq % 64 = 0;
UPDATE orders o SET award_seqs = e.seqs
FROM (SELECT member_id, order_id, array_agg(seq ORDER BY seq) AS seqs FROM entries
      WHERE kind = 'earn' AND order_id IS NOT NULL GROUP BY member_id, order_id) e
WHERE o.member_id = e.member_id AND o.order_id = e.order_id;
"""

CONSTRAINTS = """
ALTER TABLE accounts ALTER COLUMN latest_at SET NOT NULL, ALTER COLUMN known_at SET NOT NULL;
ALTER TABLE entries ALTER COLUMN known_at SET NOT NULL,
    ADD CONSTRAINT ck_entries_known_when_it_occurred CHECK (occurred_at <= known_at);
ALTER TABLE lots
    DROP CONSTRAINT ck_lots_remaining_within_points,
    ADD CONSTRAINT ck_lots_remaining_within_points CHECK (remaining >= 0 AND held >= 0 AND remaining + held <= points);
ALTER TABLE allocations
    DROP CONSTRAINT ck_allocations_points_not_zero,
    ADD CONSTRAINT ck_allocations_something CHECK (points <> 0 OR held <> 0);
CREATE INDEX ix_entries_late ON entries (member_id, unit, occurred_at) WHERE late;
CREATE INDEX ix_entries_spent_on_order ON entries (member_id, order_id) WHERE kind = 'redeem' AND order_id IS NOT NULL;
DROP INDEX ix_lots_open;
CREATE INDEX ix_lots_open ON lots (member_id, unit, expires_at, expiry, earned_at, seq) WHERE remaining > 0;
DROP INDEX ix_lots_pending;
CREATE INDEX ix_lots_pending ON lots (member_id, unit, coalesce(matures_at, deadline_at)) WHERE pending AND remaining > 0;
CREATE INDEX ix_lots_origin ON lots (member_id, origin_member_id, origin_seq) WHERE origin_seq IS NOT NULL;
CREATE INDEX ix_members_program_id_member_id ON members (program_id, member_id);
"""

APPEND_ONLY = """
CREATE TRIGGER checkpoints_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history();
"""


def upgrade() -> None:
    """Apply."""
    for statements in (COLUMNS, TABLES, BACKFILL, CONSTRAINTS, APPEND_ONLY):
        op.execute(statements)


def downgrade() -> None:
    """Take back. What only these tables know is lost; entries of kinds that came with them stay."""
    op.execute("DROP TABLE receipts, returns, checkpoints, upcoming, debts, holds")
    op.execute("DROP INDEX ix_members_program_id_member_id, ix_lots_origin, ix_entries_late, ix_entries_spent_on_order")
    op.execute("DROP INDEX ix_lots_pending, ix_lots_open")
    op.execute("CREATE INDEX ix_lots_open ON lots (member_id, unit, expires_at, earned_at, seq) WHERE remaining > 0")
    op.execute(
        "CREATE INDEX ix_lots_pending ON lots (member_id, unit, matures_at) WHERE pending AND remaining > 0"
    )
    op.execute("""
    ALTER TABLE allocations DROP CONSTRAINT ck_allocations_something, DROP COLUMN held,
        ADD CONSTRAINT ck_allocations_points_not_zero CHECK (points <> 0);
    ALTER TABLE lots DROP CONSTRAINT ck_lots_remaining_within_points, DROP COLUMN held, DROP COLUMN deadline_at,
        DROP COLUMN expiry, DROP COLUMN origin_member_id, DROP COLUMN origin_seq,
        ADD CONSTRAINT ck_lots_remaining_within_points CHECK (remaining BETWEEN 0 AND points);
    ALTER TABLE entries DROP CONSTRAINT ck_entries_known_when_it_occurred, DROP COLUMN known_at, DROP COLUMN late,
        DROP COLUMN matures_at, DROP COLUMN expires_at;
    ALTER TABLE accounts DROP COLUMN latest_at, DROP COLUMN known_at, DROP COLUMN idle;
    ALTER TABLE members DROP COLUMN merged_into;
    ALTER TABLE orders DROP COLUMN award_seqs, DROP COLUMN returned, DROP COLUMN confirmed_at;
    """)
