"""What happened, added up by day: sums, sets of members, and how far the log was counted."""

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Apply. Nothing is counted yet: the job that follows the log begins at its beginning."""
    op.execute("""
        CREATE TABLE rollup_states (
            program_id uuid NOT NULL, generation integer NOT NULL, in_use boolean NOT NULL,
            checks boolean DEFAULT false NOT NULL, layout integer NOT NULL, time_zone text NOT NULL,
            xid bigint NOT NULL, seq bigint NOT NULL, as_of timestamptz,
            CONSTRAINT pk_rollup_states PRIMARY KEY (program_id, generation),
            CONSTRAINT ck_rollup_states_generation_positive CHECK (generation > 0),
            CONSTRAINT ck_rollup_states_used_or_compared CHECK (NOT (in_use AND checks))
        );
        CREATE UNIQUE INDEX uq_rollup_states_in_use ON rollup_states (program_id) WHERE in_use;

        CREATE TABLE rollup_sums (
            program_id uuid NOT NULL, generation integer NOT NULL, measure text COLLATE "C" NOT NULL,
            unit text COLLATE "C" NOT NULL, dimension text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL,
            day date NOT NULL, amount bigint NOT NULL,
            CONSTRAINT pk_rollup_sums PRIMARY KEY (program_id, generation, measure, unit, dimension, key, day)
        ) WITH (fillfactor = 80);

        CREATE TABLE rollup_sets (
            program_id uuid NOT NULL, generation integer NOT NULL, name text COLLATE "C" NOT NULL,
            dimension text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, span text COLLATE "C" NOT NULL,
            starts date NOT NULL, size bigint NOT NULL, members bytea NOT NULL,
            CONSTRAINT pk_rollup_sets PRIMARY KEY (program_id, generation, name, dimension, key, span, starts),
            CONSTRAINT ck_rollup_sets_span_is_known CHECK (span IN ('day', 'week', 'month')),
            CONSTRAINT ck_rollup_sets_somebody CHECK (size > 0)
        );
        -- Roaring bitmaps are packed already: to try it again costs time at each read.
        ALTER TABLE rollup_sets ALTER COLUMN members SET STORAGE EXTERNAL;

        CREATE TABLE rollup_members (
            member_id uuid NOT NULL, program_id uuid NOT NULL, number bigint NOT NULL,
            CONSTRAINT pk_rollup_members PRIMARY KEY (member_id),
            CONSTRAINT ck_rollup_members_number_not_negative CHECK (number >= 0)
        );
        CREATE UNIQUE INDEX uq_rollup_members_program_id_number ON rollup_members (program_id, number);

        CREATE TABLE rollup_cursors (
            program_id uuid NOT NULL, generation integer NOT NULL, number bigint NOT NULL, seq bigint NOT NULL,
            tier text NOT NULL,
            CONSTRAINT pk_rollup_cursors PRIMARY KEY (program_id, generation, number)
        ) WITH (fillfactor = 80);

        CREATE TABLE rollup_returns (
            program_id uuid NOT NULL, generation integer NOT NULL, order_id text COLLATE "C" NOT NULL,
            lines jsonb NOT NULL,
            CONSTRAINT pk_rollup_returns PRIMARY KEY (program_id, generation, order_id)
        );

        CREATE TABLE rollup_segments (
            program_id uuid NOT NULL, taken_on date NOT NULL, segment text COLLATE "C" NOT NULL, size bigint NOT NULL,
            members bytea NOT NULL,
            CONSTRAINT pk_rollup_segments PRIMARY KEY (program_id, taken_on, segment),
            CONSTRAINT ck_rollup_segments_size_not_negative CHECK (size >= 0)
        );
        ALTER TABLE rollup_segments ALTER COLUMN members SET STORAGE EXTERNAL;
    """)


def downgrade() -> None:
    """Take back. The log says all of it again."""
    op.execute("""
        DROP TABLE rollup_segments; DROP TABLE rollup_returns; DROP TABLE rollup_cursors; DROP TABLE rollup_members;
        DROP TABLE rollup_sets; DROP TABLE rollup_sums; DROP TABLE rollup_states;
        DELETE FROM followers WHERE name = 'rollups';
    """)
