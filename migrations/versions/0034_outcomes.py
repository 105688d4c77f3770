"""What members spent after they were given something, or held out from it."""

from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Apply. Outcomes begin empty: the job that fills them begins with the first member who was given anything."""
    op.execute("""
        CREATE TABLE outcomes (
            member_id uuid NOT NULL, experiment text NOT NULL, day date NOT NULL, program_id uuid NOT NULL,
            arm text NOT NULL, share integer NOT NULL, at timestamptz NOT NULL, ends_at timestamptz NOT NULL,
            before_from timestamptz NOT NULL, before_to timestamptz NOT NULL, spend bigint NOT NULL,
            orders bigint NOT NULL, before bigint NOT NULL, points bigint NOT NULL, amount bigint NOT NULL,
            redeemed bigint NOT NULL,
            CONSTRAINT pk_outcomes PRIMARY KEY (member_id, experiment, day),
            CONSTRAINT ck_outcomes_times_in_order
                CHECK (at < ends_at AND before_from <= before_to AND before_to <= at),
            CONSTRAINT ck_outcomes_not_negative CHECK (
                spend >= 0 AND orders >= 0 AND before >= 0 AND points >= 0 AND amount >= 0 AND redeemed >= 0)
        );
        CREATE INDEX ix_outcomes_of_experiment ON outcomes (program_id, experiment, day, member_id);
        CREATE TABLE outcome_days (
            program_id uuid NOT NULL, experiment text NOT NULL, day date NOT NULL, arm text NOT NULL,
            members bigint NOT NULL, share bigint NOT NULL, buyers bigint NOT NULL, redeemers bigint NOT NULL,
            orders bigint NOT NULL, orders_2 bigint NOT NULL, spend numeric NOT NULL, spend_2 numeric NOT NULL,
            spend_3 numeric NOT NULL, before numeric NOT NULL, before_2 numeric NOT NULL, spend_before numeric NOT NULL,
            points numeric NOT NULL, amount numeric NOT NULL,
            CONSTRAINT pk_outcome_days PRIMARY KEY (program_id, experiment, day, arm),
            CONSTRAINT fk_outcome_days_program_id_programs FOREIGN KEY (program_id) REFERENCES programs (program_id)
        );
        CREATE TABLE outcome_places (
            program_id uuid NOT NULL, experiment text NOT NULL, at timestamptz NOT NULL, after_member uuid NOT NULL,
            CONSTRAINT pk_outcome_places PRIMARY KEY (program_id, experiment),
            CONSTRAINT fk_outcome_places_program_id_programs FOREIGN KEY (program_id) REFERENCES programs (program_id)
        );
    """)


def downgrade() -> None:
    """Take back. Outcomes are made of orders and assignments, and may be counted anew."""
    op.execute("DROP TABLE outcome_places; DROP TABLE outcome_days; DROP TABLE outcomes;")
