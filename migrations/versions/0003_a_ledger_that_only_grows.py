"""The ledger: accounts, entries, lots, allocations. Entries and allocations only grow."""

from alembic import op

revision = "0003"
down_revision = "0002"

TABLES = """
CREATE TABLE accounts (
    member_id uuid NOT NULL,
    unit text NOT NULL,
    program_id uuid NOT NULL,
    available bigint NOT NULL,
    pending bigint NOT NULL,
    held bigint NOT NULL,
    debt bigint NOT NULL,
    lifetime_earned bigint NOT NULL,
    lifetime_spent bigint NOT NULL,
    last_seq bigint NOT NULL,
    next_change_at timestamptz,
    CONSTRAINT pk_accounts PRIMARY KEY (member_id, unit),
    CONSTRAINT ck_accounts_available_not_negative CHECK (available >= 0),
    CONSTRAINT ck_accounts_pending_not_negative CHECK (pending >= 0),
    CONSTRAINT ck_accounts_held_not_negative CHECK (held >= 0),
    CONSTRAINT ck_accounts_debt_not_negative CHECK (debt >= 0)
)
 WITH (fillfactor = 80);
CREATE INDEX ix_accounts_program_id_member_id ON accounts (program_id, member_id);
CREATE TABLE entries (
    member_id uuid NOT NULL,
    seq bigint NOT NULL,
    unit text NOT NULL,
    kind text NOT NULL,
    points bigint NOT NULL,
    available bigint NOT NULL,
    pending bigint NOT NULL,
    held bigint NOT NULL,
    debt bigint NOT NULL,
    available_after bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    order_id text,
    rule_code text,
    rule_version integer,
    reference text,
    reason text,
    detail jsonb,
    CONSTRAINT pk_entries PRIMARY KEY (member_id, seq),
    CONSTRAINT ck_entries_kind_is_known CHECK (kind IN (
        'earn', 'mature', 'hold', 'release', 'redeem', 'expire', 'reverse', 'return_spent', 'adjust',
        'transfer_in', 'transfer_out', 'debt', 'debt_paid', 'reinstate')),
    CONSTRAINT ck_entries_available_after_not_negative CHECK (available_after >= 0),
    CONSTRAINT ck_entries_seq_begins_at_one CHECK (seq > 0)
);
CREATE TABLE lots (
    member_id uuid NOT NULL,
    seq bigint NOT NULL,
    unit text NOT NULL,
    points bigint NOT NULL,
    remaining bigint NOT NULL,
    pending boolean NOT NULL,
    earned_at timestamptz NOT NULL,
    matures_at timestamptz,
    expires_at timestamptz,
    CONSTRAINT pk_lots PRIMARY KEY (member_id, seq),
    CONSTRAINT fk_lots_member_id_seq FOREIGN KEY(member_id, seq) REFERENCES entries (member_id, seq),
    CONSTRAINT ck_lots_points_positive CHECK (points > 0),
    CONSTRAINT ck_lots_remaining_within_points CHECK (remaining BETWEEN 0 AND points)
);
CREATE INDEX ix_lots_open ON lots (member_id, unit, expires_at, earned_at, seq) WHERE remaining > 0;
CREATE INDEX ix_lots_pending ON lots (member_id, unit, matures_at) WHERE pending AND remaining > 0;
CREATE TABLE allocations (
    member_id uuid NOT NULL,
    seq bigint NOT NULL,
    lot_seq bigint NOT NULL,
    points bigint NOT NULL,
    CONSTRAINT pk_allocations PRIMARY KEY (member_id, seq, lot_seq),
    CONSTRAINT fk_allocations_member_id_seq FOREIGN KEY(member_id, seq) REFERENCES entries (member_id, seq),
    CONSTRAINT fk_allocations_member_id_lot_seq FOREIGN KEY(member_id, lot_seq) REFERENCES lots (member_id, seq),
    CONSTRAINT ck_allocations_points_not_zero CHECK (points <> 0)
);
CREATE INDEX ix_allocations_member_id_lot_seq ON allocations (member_id, lot_seq);
"""

APPEND_ONLY = """
CREATE FUNCTION refuse_to_rewrite_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% only grows: correct a mistake by another entry', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER entries_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history();
CREATE TRIGGER allocations_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON allocations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history();
"""

# Double entry: what a member's four buckets gain, the account named by the kind of entry gives. An entry that only moves
# points between a member's buckets has no other side. Debt is what the member owes, hence its sign.
POSTINGS = """
CREATE VIEW ledger_postings AS
SELECT e.member_id, e.seq, e.unit, e.kind, e.occurred_at, p.account, p.points
FROM entries e CROSS JOIN LATERAL (VALUES
    ('member:available', e.available),
    ('member:pending', e.pending),
    ('member:held', e.held),
    ('member:debt', -e.debt),
    (CASE e.kind
        WHEN 'earn' THEN 'program:issued'
        WHEN 'redeem' THEN 'program:redeemed'
        WHEN 'return_spent' THEN 'program:redeemed'
        WHEN 'expire' THEN 'program:expired'
        WHEN 'reinstate' THEN 'program:expired'
        WHEN 'reverse' THEN 'program:reversed'
        WHEN 'debt' THEN 'program:reversed'
        WHEN 'debt_paid' THEN 'program:reversed'
        WHEN 'adjust' THEN 'program:adjusted'
        WHEN 'transfer_in' THEN 'program:transferred'
        WHEN 'transfer_out' THEN 'program:transferred'
        ELSE 'program:none' END,
     -(e.available + e.pending + e.held - e.debt))
) AS p (account, points)
WHERE p.points <> 0;
"""


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)
    op.execute(APPEND_ONLY)
    op.execute(POSTINGS)


def downgrade() -> None:
    """Take back."""
    op.execute("DROP VIEW ledger_postings")
    op.execute("DROP TABLE allocations, lots, entries, accounts")
    op.execute("DROP FUNCTION refuse_to_rewrite_history")
