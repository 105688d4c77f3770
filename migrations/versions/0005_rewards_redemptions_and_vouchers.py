"""What points are spent on."""

from alembic import op

revision = "0005"
down_revision = "0004"

TABLES = """
CREATE TABLE rewards (
    program_id uuid NOT NULL,
    code text NOT NULL,
    version bigint NOT NULL,
    name text NOT NULL,
    type text NOT NULL,
    points bigint NOT NULL,
    value jsonb NOT NULL,
    limited boolean NOT NULL,
    valid_from timestamptz,
    valid_to timestamptz,
    fulfilment text NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pk_rewards PRIMARY KEY (program_id, code),
    CONSTRAINT ck_rewards_points_positive CHECK (points > 0),
    CONSTRAINT fk_rewards_program_id FOREIGN KEY(program_id) REFERENCES programs (program_id)
);
CREATE TABLE reward_stock (
    program_id uuid NOT NULL,
    code text NOT NULL,
    remaining bigint NOT NULL,
    CONSTRAINT pk_reward_stock PRIMARY KEY (program_id, code),
    CONSTRAINT ck_reward_stock_remaining_not_negative CHECK (remaining >= 0)
);
CREATE TABLE redemptions (
    member_id uuid NOT NULL,
    redemption_id text NOT NULL,
    program_id uuid NOT NULL,
    reward_code text NOT NULL,
    reward_version bigint NOT NULL,
    status text NOT NULL,
    points bigint NOT NULL,
    voucher_code text,
    redeemed_at timestamptz NOT NULL,
    receipt text NOT NULL,
    CONSTRAINT pk_redemptions PRIMARY KEY (member_id, redemption_id),
    CONSTRAINT ck_redemptions_status_is_known CHECK (status IN ('held', 'confirmed', 'fulfilled', 'cancelled', 'expired')),
    CONSTRAINT ck_redemptions_points_positive CHECK (points > 0)
);
CREATE TABLE vouchers (
    member_id uuid NOT NULL,
    code text NOT NULL,
    program_id uuid NOT NULL,
    value jsonb NOT NULL,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz,
    CONSTRAINT pk_vouchers PRIMARY KEY (member_id, code)
);
"""


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)


def downgrade() -> None:
    """Take back."""
    op.execute("DROP TABLE vouchers, redemptions, reward_stock, rewards")
