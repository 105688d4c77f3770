"""Rehearsals of offers, on the members who placed orders in a time."""

from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Apply. What there is of the other two kinds stays as it is."""
    op.execute("""
        ALTER TABLE rehearsals DROP CONSTRAINT ck_rehearsals_kind_is_known;
        ALTER TABLE rehearsals ADD CONSTRAINT ck_rehearsals_kind_is_known
            CHECK (kind IN ('earning_rules', 'ladder', 'offers') AND (kind <> 'ladder') = (placed_from IS NOT NULL)
                AND (placed_from IS NULL) = (placed_to IS NULL));
    """)


def downgrade() -> None:
    """Take back. Rehearsals of offers are forgotten."""
    op.execute("""
        DELETE FROM rehearsals WHERE kind = 'offers';
        ALTER TABLE rehearsals DROP CONSTRAINT ck_rehearsals_kind_is_known;
        ALTER TABLE rehearsals ADD CONSTRAINT ck_rehearsals_kind_is_known
            CHECK (kind IN ('earning_rules', 'ladder') AND (kind = 'earning_rules') = (placed_from IS NOT NULL)
                AND (placed_from IS NULL) = (placed_to IS NULL));
    """)
