"""Who is in which segment, how many they are, and where members fall into fifths."""

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Apply. Segments begin empty: the job that counts them begins with every program there is."""
    op.execute("""
        ALTER TABLE feature_statistics ADD COLUMN cuts jsonb;

        CREATE TABLE segment_members (
            program_id uuid NOT NULL, segment text NOT NULL, member_id uuid NOT NULL, since timestamptz NOT NULL,
            CONSTRAINT pk_segment_members PRIMARY KEY (program_id, segment, member_id)
        );
        CREATE INDEX ix_segment_members_program_id_member_id ON segment_members (program_id, member_id);
        CREATE TABLE segment_sizes (
            program_id uuid NOT NULL, segment text NOT NULL, size bigint NOT NULL, counted_at timestamptz,
            CONSTRAINT pk_segment_sizes PRIMARY KEY (program_id, segment),
            CONSTRAINT ck_segment_sizes_size_not_negative CHECK (size >= 0)
        );
        CREATE TABLE segment_sweeps (
            program_id uuid NOT NULL, rules_version integer NOT NULL, statistics_version integer NOT NULL,
            begun_at timestamptz NOT NULL, after_member uuid, done bigint NOT NULL, total bigint NOT NULL,
            finished_at timestamptz,
            CONSTRAINT pk_segment_sweeps PRIMARY KEY (program_id),
            CONSTRAINT fk_segment_sweeps_program_id_programs FOREIGN KEY (program_id) REFERENCES programs (program_id),
            CONSTRAINT ck_segment_sweeps_progress_not_negative CHECK (done >= 0 AND total >= 0)
        );
    """)


def downgrade() -> None:
    """Take back. What rules, rewards and offers say of segments stays."""
    op.execute("""
        DROP TABLE segment_sweeps; DROP TABLE segment_sizes; DROP TABLE segment_members;
        ALTER TABLE feature_statistics DROP COLUMN cuts;
    """)
