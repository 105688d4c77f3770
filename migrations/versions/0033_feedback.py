"""What members say when they are asked, and why they are not asked once more."""

from alembic import op

revision = "0033"
down_revision = "0032"

REASONS = (
    "member_suspended", "member_closed", "no_address", "no_consent", "channel_refused", "kind_refused", "channel_off",
    "frequency_cap", "outdated", "nothing_expires", "tier_kept", "offer_closed", "order_gone", "reward_gone",
    "voucher_gone", "address_refused", "gave_up", "template_broken",
)  # fmt: skip
OF_SURVEYS = ("asked_lately", "already_answered", "survey_gone")


def upgrade() -> None:
    """Apply."""
    op.execute("""
        CREATE TABLE feedback (
            member_id uuid NOT NULL,
            feedback_id text NOT NULL,
            program_id uuid NOT NULL,
            customer_id text NOT NULL,
            kind text NOT NULL,
            score smallint NOT NULL,
            comment text,
            comment_erased_at timestamptz,
            order_id text,
            touchpoint text,
            answered_at timestamptz NOT NULL,
            recorded_at timestamptz NOT NULL,
            activity_id text NOT NULL,
            CONSTRAINT pk_feedback PRIMARY KEY (member_id, feedback_id),
            CONSTRAINT ck_feedback_score_is_of_its_kind CHECK (kind = 'nps' AND score BETWEEN 0 AND 10
                OR kind = 'csat' AND score BETWEEN 1 AND 5 OR kind = 'ces' AND score BETWEEN 1 AND 7),
            CONSTRAINT ck_feedback_comment_is_bounded CHECK (char_length(comment) <= 2000),
            CONSTRAINT ck_feedback_erased_is_gone CHECK (comment IS NULL OR comment_erased_at IS NULL)
        );
        CREATE UNIQUE INDEX uq_feedback_order ON feedback (program_id, order_id, kind) WHERE order_id IS NOT NULL;
        CREATE INDEX ix_feedback_of_member ON feedback (member_id, answered_at, feedback_id);
        CREATE INDEX ix_feedback_recorded_at ON feedback (program_id, kind, recorded_at, member_id);
        CREATE INDEX ix_feedback_score ON feedback (program_id, kind, score, answered_at, feedback_id);
        CREATE INDEX ix_feedback_touchpoint ON feedback (program_id, touchpoint, answered_at, feedback_id)
            WHERE touchpoint IS NOT NULL;
    """)
    _allow(*REASONS, *OF_SURVEYS)


def downgrade() -> None:
    """Take back. What members answered is forgotten; what it earned is not."""
    op.execute("""
        DROP TABLE feedback;
        DELETE FROM natural_keys WHERE kind = 'feedback';
        DELETE FROM receipts WHERE kind = 'feedback';
        UPDATE messages SET reason = 'outdated' WHERE reason IN ('asked_lately', 'already_answered', 'survey_gone');
    """)
    _allow(*REASONS)


def _allow(*reasons: str) -> None:
    words = ", ".join(f"'{reason}'" for reason in reasons)
    op.execute(f"""
        ALTER TABLE messages DROP CONSTRAINT ck_messages_reason_is_known;
        ALTER TABLE messages ADD CONSTRAINT ck_messages_reason_is_known CHECK (reason IS NULL OR reason IN ({words}));
    """)
