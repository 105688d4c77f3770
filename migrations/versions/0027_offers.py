"""Offers, what was given to whom, and what purchases say of members."""

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Apply. Features begin empty: `loyalty features rebuild` learns from the orders there are."""
    op.execute("""
        CREATE TABLE offer_sets (
            program_id uuid NOT NULL, version integer NOT NULL,
            offers jsonb NOT NULL, personalising jsonb NOT NULL DEFAULT '{}',
            effective_from timestamptz, published_at timestamptz NOT NULL, published_by text NOT NULL,
            CONSTRAINT pk_offer_sets PRIMARY KEY (program_id, version),
            CONSTRAINT fk_offer_sets_program_id_programs FOREIGN KEY (program_id) REFERENCES programs (program_id)
        );
        CREATE TABLE offer_drafts (
            program_id uuid NOT NULL, version bigint NOT NULL,
            offers jsonb, personalising jsonb NOT NULL DEFAULT '{}', updated_at timestamptz NOT NULL,
            CONSTRAINT pk_offer_drafts PRIMARY KEY (program_id),
            CONSTRAINT fk_offer_drafts_program_id_programs FOREIGN KEY (program_id) REFERENCES programs (program_id)
        );
        CREATE TABLE assignments (
            member_id uuid NOT NULL, assignment_id uuid NOT NULL, program_id uuid NOT NULL,
            offer_code text NOT NULL, offer_version integer NOT NULL, status text NOT NULL,
            promise jsonb NOT NULL, earns boolean NOT NULL,
            assigned_at timestamptz NOT NULL, valid_to timestamptz NOT NULL,
            seen_at timestamptz, activated_at timestamptz, closed_at timestamptz,
            voucher_code text, order_id text, points bigint, amount bigint,
            rank integer, score double precision, probability double precision, in_list text,
            trigger text NOT NULL DEFAULT 'ranking', reasons jsonb NOT NULL DEFAULT '[]', holdout text,
            CONSTRAINT pk_assignments PRIMARY KEY (member_id, assignment_id),
            CONSTRAINT fk_assignments_program_id_offer_version_offer_sets FOREIGN KEY (program_id, offer_version)
                REFERENCES offer_sets (program_id, version),
            CONSTRAINT ck_assignments_status_is_known CHECK (status IN
                ('assigned', 'seen', 'activated', 'redeemed', 'expired', 'dismissed', 'held_out')),
            CONSTRAINT ck_assignments_held_out_for_a_reason CHECK ((status = 'held_out') = (holdout IS NOT NULL)),
            CONSTRAINT ck_assignments_holdout_is_known CHECK (holdout IN ('program', 'offer')),
            CONSTRAINT ck_assignments_redeemed_is_closed CHECK (status <> 'redeemed' OR closed_at IS NOT NULL),
            CONSTRAINT ck_assignments_begins_before_it_ends CHECK (assigned_at < valid_to),
            CONSTRAINT ck_assignments_cost_not_negative CHECK (points >= 0 AND amount >= 0)
        );
        CREATE INDEX ix_assignments_assignment_id ON assignments (assignment_id);
        CREATE INDEX ix_assignments_open ON assignments (member_id) WHERE closed_at IS NULL;
        CREATE INDEX ix_assignments_due ON assignments (valid_to) WHERE closed_at IS NULL;
        CREATE INDEX ix_assignments_to_redeem ON assignments (member_id, valid_to)
            WHERE earns AND status IN ('activated', 'expired');
        CREATE INDEX ix_assignments_order ON assignments (member_id, order_id) WHERE order_id IS NOT NULL;
        CREATE INDEX ix_assignments_of_member ON assignments (member_id, offer_code, assigned_at);
        CREATE INDEX ix_assignments_of_offer ON assignments (program_id, offer_code, assigned_at);

        CREATE TABLE member_features (
            member_id uuid NOT NULL, program_id uuid NOT NULL,
            orders bigint NOT NULL, spend bigint NOT NULL, gross bigint NOT NULL,
            weight numeric NOT NULL, visits numeric NOT NULL, worth numeric NOT NULL,
            first_at timestamptz, last_at timestamptz, redeemed bigint NOT NULL, redeemed_weight numeric NOT NULL,
            CONSTRAINT pk_member_features PRIMARY KEY (member_id)
        );
        CREATE INDEX ix_member_features_program_id_member_id ON member_features (program_id, member_id);
        CREATE TABLE goods_features (
            member_id uuid NOT NULL, level text NOT NULL, code text NOT NULL,
            orders bigint NOT NULL, quantity bigint NOT NULL, spend bigint NOT NULL, weight numeric NOT NULL,
            first_at timestamptz NOT NULL, last_at timestamptz NOT NULL, recent text[] NOT NULL,
            CONSTRAINT pk_goods_features PRIMARY KEY (member_id, level, code)
        );
        CREATE TABLE learned_orders (
            member_id uuid NOT NULL, order_id text NOT NULL, learner_id uuid NOT NULL,
            returned jsonb NOT NULL DEFAULT '{}',
            CONSTRAINT pk_learned_orders PRIMARY KEY (member_id, order_id)
        );
        CREATE TABLE feature_statistics (
            program_id uuid NOT NULL, version integer NOT NULL, as_of timestamptz NOT NULL,
            started_at timestamptz NOT NULL, stage text NOT NULL,
            done bigint NOT NULL DEFAULT 0, total bigint NOT NULL DEFAULT 0,
            finished_at timestamptz, document jsonb, weights bytea,
            CONSTRAINT pk_feature_statistics PRIMARY KEY (program_id, version),
            CONSTRAINT fk_feature_statistics_program_id_programs FOREIGN KEY (program_id)
                REFERENCES programs (program_id)
        );
        CREATE INDEX ix_feature_statistics_finished ON feature_statistics (program_id, version)
            WHERE finished_at IS NOT NULL;
    """)


def downgrade() -> None:
    """Take back. Offers and what was given are forgotten; points that they earned stay."""
    op.execute("""
        DROP TABLE feature_statistics; DROP TABLE learned_orders; DROP TABLE goods_features;
        DROP TABLE member_features; DROP TABLE assignments; DROP TABLE offer_drafts; DROP TABLE offer_sets;
    """)
