"""Vouchers that keep what an offer promised, and how far a program's members were searched for whom to win back."""

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Apply. The constraint that goes was true of all vouchers, so what comes is."""
    op.execute("""
        ALTER TABLE vouchers ADD COLUMN assignment_id uuid;
        ALTER TABLE vouchers DROP CONSTRAINT ck_vouchers_origin_is_known;
        ALTER TABLE vouchers ADD CONSTRAINT ck_vouchers_origin_is_known CHECK (
            origin IN ('reward', 'batch', 'offer') AND (origin = 'batch') = (batch_id IS NOT NULL)
            AND (origin = 'offer') = (assignment_id IS NOT NULL));
        CREATE TABLE offer_sweeps (
            program_id uuid NOT NULL, day date NOT NULL, after_member uuid NOT NULL, done boolean NOT NULL,
            CONSTRAINT pk_offer_sweeps PRIMARY KEY (program_id),
            CONSTRAINT fk_offer_sweeps_program_id_programs FOREIGN KEY (program_id) REFERENCES programs (program_id)
        );
    """)


def downgrade() -> None:
    """Take back. Vouchers of offers stay with their members, as if rewards had given them."""
    op.execute("""
        DROP TABLE offer_sweeps;
        ALTER TABLE vouchers DROP CONSTRAINT ck_vouchers_origin_is_known;
        UPDATE vouchers SET origin = 'reward' WHERE origin = 'offer';
        ALTER TABLE vouchers DROP COLUMN assignment_id;
        ALTER TABLE vouchers ADD CONSTRAINT ck_vouchers_origin_is_known
            CHECK (origin IN ('reward', 'batch') AND (origin = 'batch') = (batch_id IS NOT NULL));
    """)
