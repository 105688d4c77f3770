"""Earning rules: published sets, and the draft of the next."""

from alembic import op

revision = "0004"
down_revision = "0003"

TABLES = """
CREATE TABLE earning_rule_sets (
    program_id uuid NOT NULL,
    version integer NOT NULL,
    rules jsonb NOT NULL,
    effective_from timestamptz,
    published_at timestamptz NOT NULL,
    published_by text NOT NULL,
    CONSTRAINT pk_earning_rule_sets PRIMARY KEY (program_id, version),
    CONSTRAINT fk_earning_rule_sets_program_id FOREIGN KEY(program_id) REFERENCES programs (program_id)
);
CREATE TABLE earning_rule_drafts (
    program_id uuid NOT NULL,
    version bigint NOT NULL,
    rules jsonb,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pk_earning_rule_drafts PRIMARY KEY (program_id),
    CONSTRAINT fk_earning_rule_drafts_program_id FOREIGN KEY(program_id) REFERENCES programs (program_id)
);
"""


def upgrade() -> None:
    """Apply."""
    op.execute(TABLES)


def downgrade() -> None:
    """Take back."""
    op.execute("DROP TABLE earning_rule_drafts, earning_rule_sets")
