"""What happened, added up by day: sums, sets of members, and how far the log was counted."""

from alembic import op

revision = "0031"
down_revision = "0030"


# What rollups add up, from the tables themselves: slow, and to be compared with. Where a dimension has several keys at
# once (a category and those above it), a row is there for each.
FACTS = """
CREATE VIEW kpi_facts AS
WITH nets AS NOT MATERIALIZED (
    SELECT o.program_id, o.member_id, o.order_id, o.customer_id, o.placed_at, o.channel, o.discount, l.line_id,
        l.category, l.quantity, l.discount AS line_discount, l.quantity * l.unit_price - l.discount AS net
    FROM orders o CROSS JOIN LATERAL jsonb_to_recordset(o.lines) AS l(
        line_id text, category text, quantity bigint, unit_price bigint, discount bigint)
), shares AS NOT MATERIALIZED (
    -- The order's discount by largest remainder; ties go by line id.
    SELECT n.*, div(n.discount::numeric * n.net, nullif(sum(n.net) OVER o, 0)) AS share,
        n.discount::numeric * n.net % nullif(sum(n.net) OVER o, 0) AS rest
    FROM nets n WINDOW o AS (PARTITION BY n.program_id, n.member_id, n.order_id)
), goods AS NOT MATERIALIZED (
    SELECT s.*, (s.net - coalesce(s.share, 0) - CASE WHEN
        row_number() OVER (PARTITION BY s.program_id, s.member_id, s.order_id ORDER BY s.rest DESC, s.line_id COLLATE "C")
        <= s.discount - sum(coalesce(s.share, s.discount)) OVER (PARTITION BY s.program_id, s.member_id, s.order_id)
        THEN 1 ELSE 0 END)::bigint AS cost
    FROM shares s
), paths AS NOT MATERIALIZED (
    SELECT g.program_id, g.member_id, g.order_id, g.line_id, (
        SELECT string_agg(u.part, ' > ' ORDER BY u.place)
        FROM unnest(string_to_array(g.category, ' > ')) WITH ORDINALITY AS u (part, place) WHERE u.place <= n.depth
    ) AS path
    FROM goods g
    CROSS JOIN LATERAL generate_series(1, cardinality(string_to_array(g.category, ' > '))) AS n (depth)
), placed AS NOT MATERIALIZED (
    SELECT g.program_id, g.member_id, g.order_id, g.customer_id, g.placed_at, g.channel, sum(g.cost)::bigint AS sales,
        sum(g.quantity)::bigint AS units, (g.discount + sum(g.line_discount))::bigint AS discount
    FROM goods g GROUP BY g.program_id, g.member_id, g.order_id, g.customer_id, g.placed_at, g.channel, g.discount
), ordered AS (
    SELECT p.program_id, p.placed_at AS at, p.member_id, v.measure, v.amount, d.dimension, d.key
    FROM placed p JOIN orders o ON o.member_id = p.member_id AND o.order_id = p.order_id
    CROSS JOIN LATERAL (VALUES ('orders', 1), ('sales', p.sales), ('discount', p.discount),
        ('discounted_orders', (p.discount > 0)::int), ('points_paid', o.points_paid)) AS v (measure, amount)
    CROSS JOIN LATERAL (VALUES ('all', ''), ('channel', p.channel)) AS d (dimension, key)
    WHERE p.customer_id IS NOT NULL
    UNION ALL
    SELECT p.program_id, p.placed_at, p.member_id, 'units', p.units, 'all', '' FROM placed p
    WHERE p.customer_id IS NOT NULL
    UNION ALL
    SELECT p.program_id, p.placed_at, NULL, v.measure, v.amount, d.dimension, d.key FROM placed p
    CROSS JOIN LATERAL (VALUES ('guest_orders', 1), ('guest_sales', p.sales)) AS v (measure, amount)
    CROSS JOIN LATERAL (VALUES ('all', ''), ('channel', p.channel)) AS d (dimension, key)
    WHERE p.customer_id IS NULL
    UNION ALL
    SELECT c.program_id, c.placed_at, c.member_id, v.measure, v.amount, 'category', c.path FROM (
        SELECT g.program_id, g.placed_at, g.member_id, g.order_id, c.path, sum(g.cost)::bigint AS sales,
            sum(g.quantity)::bigint AS units
        FROM goods g JOIN paths c ON (c.program_id, c.member_id, c.order_id, c.line_id)
            = (g.program_id, g.member_id, g.order_id, g.line_id)
        WHERE g.customer_id IS NOT NULL GROUP BY g.program_id, g.placed_at, g.member_id, g.order_id, c.path) c
    CROSS JOIN LATERAL (VALUES ('orders', 1), ('sales', c.sales), ('units', c.units)) AS v (measure, amount)
), came_back AS (
    -- How many units of a line had come back after a fact, and before it.
    SELECT e.program_id, e.event_id, e.occurred_at, e.xid, e.seq,
        CASE WHEN e.customer_id IS NOT NULL THEN e.owner_id END AS whose, g.member_id, g.order_id, g.line_id,
        g.quantity, g.cost, g.channel,
        least(g.quantity, sum(u.units) OVER w) AS after, least(g.quantity, sum(u.units) OVER w - u.units) AS before
    FROM events e
    JOIN natural_keys k ON k.program_id = e.program_id AND k.kind = 'order' AND k.key = e.data ->> 'order_id'
    JOIN goods g ON g.member_id = k.member_id AND g.order_id = k.key
    CROSS JOIN LATERAL (SELECT CASE WHEN e.type = 'order.cancelled' THEN g.quantity ELSE (
        SELECT coalesce(sum(b.quantity), 0)::bigint FROM returns r
        CROSS JOIN LATERAL jsonb_to_recordset(r.lines) AS b(line_id text, quantity bigint)
        WHERE r.member_id = g.member_id AND r.order_id = g.order_id AND r.return_id = e.data ->> 'return_id'
            AND b.line_id = g.line_id) END AS units) u
    WHERE e.type IN ('order.returned', 'order.cancelled')
    WINDOW w AS (PARTITION BY e.program_id, g.member_id, g.order_id, g.line_id ORDER BY e.xid, e.seq)
), parts AS (
    SELECT b.*, b.cost * b.after::bigint / b.quantity - b.cost * b.before::bigint / b.quantity AS part FROM came_back b
), returned AS (
    SELECT r.program_id, r.occurred_at AS at, r.whose AS member_id,
        CASE WHEN r.whose IS NULL THEN 'guest_' ELSE '' END || v.measure AS measure, v.amount, d.dimension, d.key
    FROM (
        SELECT b.program_id, b.occurred_at, b.whose, b.channel, sum(b.part) AS part,
            (sum(b.after) = sum(b.quantity) AND sum(b.before) < sum(b.quantity))::int AS complete
        FROM parts b GROUP BY b.program_id, b.event_id, b.occurred_at, b.whose, b.channel) r
    CROSS JOIN LATERAL (VALUES ('returned', r.part), ('returned_orders', r.complete)) AS v (measure, amount)
    CROSS JOIN LATERAL (VALUES ('all', ''), ('channel', r.channel)) AS d (dimension, key)
    UNION ALL
    SELECT b.program_id, b.occurred_at, b.whose, 'returned', b.part, 'category', c.path
    FROM parts b JOIN paths c ON (c.program_id, c.member_id, c.order_id, c.line_id)
        = (b.program_id, b.member_id, b.order_id, b.line_id)
    WHERE b.whose IS NOT NULL
), booked AS NOT MATERIALIZED (
    SELECT m.program_id, e.member_id, e.seq, e.occurred_at AS at, e.unit, e.kind,
        e.available + e.pending + e.held AS change, e.pending, e.held, e.debt, e.rule_code, o.channel, r.reward_code
    FROM entries e JOIN members m ON m.member_id = e.member_id
    LEFT JOIN natural_keys k ON k.program_id = m.program_id AND k.kind = 'order' AND k.key = e.order_id
        AND e.kind IN ('earn', 'reverse', 'debt', 'debt_paid', 'return_spent', 'redeem')
    LEFT JOIN orders o ON o.member_id = k.member_id AND o.order_id = k.key
        AND (e.kind <> 'redeem' OR e.reference = 'payment/' || o.payment_id)
    LEFT JOIN natural_keys n ON n.program_id = m.program_id AND n.kind = 'redemption' AND n.key = CASE
        WHEN e.kind = 'redeem' THEN regexp_replace(e.reference, '^redemption/', '')
        WHEN e.kind = 'return_spent' AND e.reason = 'redemption cancelled' THEN e.reference END
    LEFT JOIN redemptions r ON r.member_id = n.member_id AND r.redemption_id = n.key AND r.entry_seq IS NOT NULL
        AND (e.kind <> 'redeem' OR (r.member_id = e.member_id AND r.entry_seq = e.seq))
), points AS (
    SELECT b.program_id, b.at, b.member_id, v.measure, b.unit, v.amount, d.dimension, d.key FROM booked b
    CROSS JOIN LATERAL (VALUES ('points.' || b.kind, b.change, true), ('awards', (b.kind = 'earn')::int, false))
        AS v (measure, amount, of_rewards)
    CROSS JOIN LATERAL (VALUES ('all', ''), ('channel', b.channel), ('rule', b.rule_code),
        ('reward', CASE WHEN v.of_rewards THEN b.reward_code END)) AS d (dimension, key)
    UNION ALL
    SELECT b.program_id, b.at, b.member_id, v.measure, b.unit, v.amount, 'all', '' FROM booked b
    CROSS JOIN LATERAL (VALUES ('debt.' || b.kind, b.debt), ('pending', b.pending), ('held', b.held))
        AS v (measure, amount)
    UNION ALL
    SELECT b.program_id, b.at, b.member_id, 'points.' || b.kind, b.unit, l.change, 'cohort',
        to_char(l.earned_at AT TIME ZONE p.time_zone, 'YYYY-MM')
    FROM booked b JOIN programs p ON p.program_id = b.program_id
    CROSS JOIN LATERAL (
        SELECT l.earned_at, l.points AS change FROM lots l WHERE l.member_id = b.member_id AND l.seq = b.seq
        UNION ALL
        SELECT l.earned_at, a.held - a.points FROM allocations a
        JOIN lots l ON l.member_id = a.member_id AND l.seq = a.lot_seq
        WHERE a.member_id = b.member_id AND a.seq = b.seq) l
), told AS (
    SELECT e.program_id, coalesce(m.enrolled_at, e.occurred_at) AS at, e.owner_id AS member_id, v.measure, v.amount,
        d.dimension, d.key
    FROM events e
    LEFT JOIN members m ON m.member_id = e.owner_id AND e.type = 'member.enrolled'
    LEFT JOIN natural_keys k ON e.type = 'redemption.cancelled' AND k.program_id = e.program_id
        AND k.kind = 'redemption' AND k.key = e.data ->> 'redemption_id'
    LEFT JOIN redemptions r ON r.member_id = k.member_id AND r.redemption_id = k.key
    LEFT JOIN LATERAL (
        SELECT u.data FROM events u WHERE e.type = 'offer.reinstated' AND u.program_id = e.program_id
            AND u.type = 'offer.redeemed' AND u.data ->> 'assignment_id' = e.data ->> 'assignment_id'
            AND (u.xid, u.seq) < (e.xid, e.seq)
        ORDER BY u.xid DESC, u.seq DESC LIMIT 1) u ON true
    CROSS JOIN LATERAL (VALUES
        (CASE e.type WHEN 'member.enrolled' THEN 'enrolled' WHEN 'member.closed' THEN 'left'
            WHEN 'member.merged' THEN 'left' WHEN 'redemption.confirmed' THEN 'redemptions'
            WHEN 'redemption.expired' THEN 'redemptions_dropped'
            WHEN 'redemption.cancelled' THEN
                CASE WHEN r.entry_seq IS NULL THEN 'redemptions_dropped' ELSE 'redemptions_cancelled' END
            WHEN 'payment.captured' THEN 'payments' WHEN 'payment.refunded' THEN 'payments_refunded'
            WHEN 'tier.changed' THEN 'moves'
            WHEN 'feedback.given' THEN 'answers.' || (e.data ->> 'kind') || '.' || (e.data ->> 'score')
            ELSE 'offers.' || split_part(e.type, '.', 2) END,
         CASE WHEN e.type LIKE 'payment.%' THEN (e.data ->> 'amount')::bigint ELSE 1 END),
        ('offer_points', CASE e.type WHEN 'offer.redeemed' THEN (e.data ->> 'points')::bigint
            WHEN 'offer.reinstated' THEN -(u.data ->> 'points')::bigint END),
        ('offer_amount', CASE e.type WHEN 'offer.redeemed' THEN (e.data ->> 'amount')::bigint
            WHEN 'offer.reinstated' THEN -(u.data ->> 'amount')::bigint END)) AS v (measure, amount)
    CROSS JOIN LATERAL (VALUES ('all', ''),
        ('reward', CASE WHEN e.type LIKE 'redemption.%' THEN e.data ->> 'reward' END),
        ('offer', CASE WHEN e.type LIKE 'offer.%' THEN e.data ->> 'offer' END),
        ('move', CASE WHEN e.type = 'tier.changed'
            THEN coalesce(e.data ->> 'from', '') || '>' || coalesce(e.data ->> 'tier', '') END),
        ('touchpoint', CASE WHEN e.type = 'feedback.given' THEN e.data ->> 'touchpoint' END)) AS d (dimension, key)
    WHERE e.type IN ('member.enrolled', 'member.closed', 'member.merged', 'redemption.confirmed',
        'redemption.cancelled', 'redemption.expired', 'payment.captured', 'payment.refunded', 'tier.changed',
        'offer.assigned', 'offer.seen', 'offer.activated', 'offer.redeemed', 'offer.reinstated', 'offer.dismissed',
        'offer.expired', 'feedback.given')
), added AS (
    SELECT program_id, at, member_id, measure, '' AS unit, amount, dimension, key FROM ordered
    UNION ALL SELECT program_id, at, member_id, measure, '', amount, dimension, key FROM returned
    UNION ALL SELECT program_id, at, member_id, measure, unit, amount, dimension, key FROM points
    UNION ALL SELECT program_id, at, member_id, measure, '', amount, dimension, key FROM told)
SELECT a.program_id, (a.at AT TIME ZONE p.time_zone)::date AS day, a.at, a.member_id, a.measure, a.unit, a.dimension,
    a.key, a.amount::bigint AS amount
FROM added a JOIN programs p ON p.program_id = a.program_id
WHERE a.key IS NOT NULL AND a.amount <> 0;

COMMENT ON VIEW kpi_facts IS 'What reports add up, from the tables: one row for each amount that something added to a
measure on a day, in all (dimension "all") and by each key of what it was. Sum it by day, measure, unit, dimension and
key to get a row of rollup_sums; who did something on a day are its distinct members. What members were when it
happened (tier, segment) is not in it. Always ask for one program.';
"""


def upgrade() -> None:
    """Apply. Nothing is counted yet: the job that follows the log begins at its beginning."""
    op.execute("""
        CREATE TABLE rollup_states (
            program_id uuid NOT NULL, generation integer NOT NULL, status text NOT NULL, layout integer NOT NULL,
            time_zone text NOT NULL, xid bigint NOT NULL, seq bigint NOT NULL, as_of timestamptz,
            CONSTRAINT pk_rollup_states PRIMARY KEY (program_id, generation),
            CONSTRAINT ck_rollup_states_generation_positive CHECK (generation > 0),
            CONSTRAINT ck_rollup_states_status_is_known
                CHECK (status IN ('building', 'used', 'checking', 'leaving'))
        );
        CREATE UNIQUE INDEX uq_rollup_states_used ON rollup_states (program_id) WHERE status = 'used';

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
    op.execute(FACTS)


def downgrade() -> None:
    """Take back. The log says all of it again."""
    op.execute("""
        DROP VIEW kpi_facts;
        DROP TABLE rollup_segments; DROP TABLE rollup_returns; DROP TABLE rollup_cursors; DROP TABLE rollup_members;
        DROP TABLE rollup_sets; DROP TABLE rollup_sums; DROP TABLE rollup_states;
        DELETE FROM followers WHERE name = 'rollups';
    """)
