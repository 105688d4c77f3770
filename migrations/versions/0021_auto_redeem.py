"""Rewards that are redeemed by themselves: who has points enough, who waits for what, and how far the search has come."""

from alembic import op

revision = "0021"
down_revision = "0020"

NOTICES = """
ALTER TABLE programs ADD COLUMN notice_points bigint,
    ADD CONSTRAINT ck_programs_notice_points_positive CHECK (notice_points > 0);

CREATE TABLE account_notices (
    program_id uuid NOT NULL,
    member_id uuid NOT NULL,
    noticed_at timestamptz NOT NULL,
    CONSTRAINT pk_account_notices PRIMARY KEY (program_id, member_id)
);
CREATE INDEX ix_account_notices_noticed_at ON account_notices (program_id, noticed_at);

CREATE TABLE auto_redeem_waits (
    program_id uuid NOT NULL,
    member_id uuid NOT NULL,
    reward_code text NOT NULL,
    reason text NOT NULL,
    tried_at timestamptz NOT NULL,
    retry_at timestamptz,
    CONSTRAINT pk_auto_redeem_waits PRIMARY KEY (program_id, member_id)
);
CREATE INDEX ix_auto_redeem_waits_retry_at ON auto_redeem_waits (program_id, retry_at) WHERE retry_at IS NOT NULL;

CREATE TABLE auto_redeem_sweeps (
    program_id uuid NOT NULL,
    begins_at timestamptz NOT NULL,
    after_member uuid NOT NULL,
    CONSTRAINT pk_auto_redeem_sweeps PRIMARY KEY (program_id),
    CONSTRAINT fk_auto_redeem_sweeps_program_id_programs FOREIGN KEY (program_id) REFERENCES programs (program_id)
);
"""


def upgrade() -> None:
    """Apply."""
    op.execute(NOTICES)


def downgrade() -> None:
    """Take back. Whoever waits is forgotten; what was redeemed stays."""
    op.execute("DROP TABLE auto_redeem_sweeps; DROP TABLE auto_redeem_waits; DROP TABLE account_notices")
    op.execute("ALTER TABLE programs DROP COLUMN notice_points")
