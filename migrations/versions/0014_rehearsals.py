"""Rehearsals: drafts of earning rules tried on orders that were really placed."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE rehearsals (
            rehearsal_id uuid NOT NULL,
            program_id uuid NOT NULL,
            draft jsonb NOT NULL,
            placed_from timestamptz NOT NULL,
            placed_to timestamptz NOT NULL,
            status text NOT NULL,
            attempts integer DEFAULT 0 NOT NULL,
            orders_done bigint DEFAULT 0 NOT NULL,
            orders_total bigint,
            result jsonb,
            error text,
            requested_by text NOT NULL,
            requested_at timestamptz NOT NULL,
            started_at timestamptz,
            finished_at timestamptz,
            CONSTRAINT pk_rehearsals PRIMARY KEY (rehearsal_id),
            CONSTRAINT fk_rehearsals_program_id_programs FOREIGN KEY(program_id) REFERENCES programs (program_id),
            CONSTRAINT ck_rehearsals_status_is_known
                CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled')),
            CONSTRAINT ck_rehearsals_window_is_not_empty CHECK (placed_from < placed_to)
        );
        CREATE INDEX ix_rehearsals_program_id_rehearsal_id ON rehearsals (program_id, rehearsal_id);
    """)


def downgrade() -> None:
    op.execute("DROP TABLE rehearsals")
