"""Payments with points, and the orders that name them."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE payments (
            member_id uuid NOT NULL,
            payment_id text NOT NULL,
            program_id uuid NOT NULL,
            order_id text,
            order_total bigint NOT NULL,
            currency text NOT NULL,
            rate jsonb NOT NULL,
            points bigint NOT NULL,
            amount bigint NOT NULL,
            status text NOT NULL,
            captured_points bigint NOT NULL,
            captured_amount bigint NOT NULL,
            refunded_points bigint NOT NULL,
            refunded_amount bigint NOT NULL,
            given_back_points bigint NOT NULL,
            given_back jsonb NOT NULL,
            seq bigint NOT NULL,
            redeem_seq bigint,
            held_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            resolved_at timestamptz,
            CONSTRAINT pk_payments PRIMARY KEY (member_id, payment_id),
            CONSTRAINT fk_payments_member_id_entries FOREIGN KEY (member_id, seq) REFERENCES entries (member_id, seq),
            CONSTRAINT fk_payments_member_id_redeem_seq_entries FOREIGN KEY (member_id, redeem_seq)
                REFERENCES entries (member_id, seq),
            CONSTRAINT ck_payments_status_is_known CHECK (status IN ('held', 'captured', 'released')),
            CONSTRAINT ck_payments_resolved_when_not_held CHECK ((status = 'held') = (resolved_at IS NULL)),
            CONSTRAINT ck_payments_captured_is_spent CHECK (
                (status = 'captured') = (redeem_seq IS NOT NULL) AND (status = 'captured') = (captured_points > 0)),
            CONSTRAINT ck_payments_captured_within_points CHECK (
                amount > 0 AND captured_points BETWEEN 0 AND points),
            CONSTRAINT ck_payments_captured_within_amount CHECK (captured_amount BETWEEN 0 AND amount),
            CONSTRAINT ck_payments_given_back_within_captured CHECK (given_back_points BETWEEN 0 AND captured_points),
            CONSTRAINT ck_payments_refunded_within_given_back CHECK (
                refunded_points BETWEEN 0 AND given_back_points AND refunded_amount BETWEEN 0 AND captured_amount)
        );
        CREATE UNIQUE INDEX ix_payments_member_id_seq ON payments (member_id, seq);
        ALTER TABLE orders ADD COLUMN payment_id text;
    """)


def downgrade() -> None:
    op.execute("""
        ALTER TABLE orders DROP COLUMN payment_id;
        DROP TABLE payments;
        DELETE FROM natural_keys WHERE kind IN ('payment', 'refund');
        DELETE FROM receipts WHERE kind IN ('payment', 'refund');
    """)
