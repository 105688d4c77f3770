"""Rehearsals of ladders, beside those of earning rules: what is done is orders of the one, members of the other."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE rehearsals RENAME COLUMN orders_done TO done;
        ALTER TABLE rehearsals RENAME COLUMN orders_total TO total;
        ALTER TABLE rehearsals ALTER COLUMN placed_from DROP NOT NULL, ALTER COLUMN placed_to DROP NOT NULL;
        ALTER TABLE rehearsals ADD COLUMN kind text DEFAULT 'earning_rules' NOT NULL;
        ALTER TABLE rehearsals ALTER COLUMN kind DROP DEFAULT;
        ALTER TABLE rehearsals ADD CONSTRAINT ck_rehearsals_kind_is_known
            CHECK (kind IN ('earning_rules', 'ladder') AND (kind = 'earning_rules') = (placed_from IS NOT NULL)
                AND (placed_from IS NULL) = (placed_to IS NULL));
        DROP INDEX ix_rehearsals_program_id_rehearsal_id;
        CREATE INDEX ix_rehearsals_program_id_kind_rehearsal_id ON rehearsals (program_id, kind, rehearsal_id);
    """)


def downgrade() -> None:
    op.execute("""
        DELETE FROM rehearsals WHERE kind <> 'earning_rules';
        DROP INDEX ix_rehearsals_program_id_kind_rehearsal_id;
        CREATE INDEX ix_rehearsals_program_id_rehearsal_id ON rehearsals (program_id, rehearsal_id);
        ALTER TABLE rehearsals DROP COLUMN kind;
        ALTER TABLE rehearsals ALTER COLUMN placed_from SET NOT NULL, ALTER COLUMN placed_to SET NOT NULL;
        ALTER TABLE rehearsals RENAME COLUMN total TO orders_total;
        ALTER TABLE rehearsals RENAME COLUMN done TO orders_done;
    """)
