"""What must hold of the books: each check is a statement that says what is expected and what is found.

The rows in which these differ are findings, so the database does the work and only findings travel. Entries and
allocations are what happened; all else follows from them (`derivations`).
"""

from loyalty.ledger.derivations import ACCOUNTS, CHECKPOINTS, CLOCKS, DEBTS, HOLDS, LOTS, NEXT_CHANGES, UPCOMING

# check -> (what it means, a query that answers member_id, seq, unit, expected and found)
CHECKS: dict[str, tuple[str, str]] = {
    "account-equals-entries": (
        "The account is not the sum of its entries.",
        f"""
        SELECT coalesce(a.member_id, e.member_id) AS member_id, coalesce(a.last_seq, e.last_seq) AS seq,
               coalesce(a.unit, e.unit) AS unit,
               CASE WHEN e.unit IS NOT NULL THEN jsonb_build_array(e.available, e.pending, e.held, e.debt, e.earned,
                   e.spent, e.last_seq, e.latest_at, e.known_at) END AS expected,
               CASE WHEN a.unit IS NOT NULL THEN jsonb_build_array(a.available, a.pending, a.held, a.debt,
                   a.lifetime_earned, a.lifetime_spent, a.last_seq, a.latest_at, a.known_at) END AS found
        FROM {{accounts}} a FULL JOIN ({ACCOUNTS}) e ON e.member_id = a.member_id AND e.unit = a.unit""",
    ),
    "account-equals-lots": (
        "The account is not the sum of its lots.",
        """
        SELECT a.member_id, a.last_seq AS seq, a.unit,
               ARRAY[coalesce(l.available, 0), coalesce(l.pending, 0), coalesce(l.held, 0)] AS expected,
               ARRAY[a.available, a.pending, a.held] AS found
        FROM {accounts} a LEFT JOIN (
            SELECT member_id, unit, sum(remaining) FILTER (WHERE NOT pending)::bigint AS available,
                   sum(remaining) FILTER (WHERE pending)::bigint AS pending, sum(held)::bigint AS held
            FROM {lots} x GROUP BY member_id, unit) l ON l.member_id = a.member_id AND l.unit = a.unit""",
    ),
    "account-equals-holds": (
        "What the account holds back is not the sum of its open holds.",
        """
        SELECT a.member_id, a.last_seq AS seq, a.unit, coalesce(h.points, 0) AS expected, a.held AS found
        FROM {accounts} a LEFT JOIN (
            SELECT member_id, unit, sum(points)::bigint AS points FROM {holds} x WHERE status = 'held'
            GROUP BY member_id, unit) h ON h.member_id = a.member_id AND h.unit = a.unit""",
    ),
    "account-equals-debts": (
        "What the account owes is not the sum of its debts.",
        """
        SELECT a.member_id, a.last_seq AS seq, a.unit, coalesce(d.remaining, 0) AS expected, a.debt AS found
        FROM {accounts} a LEFT JOIN (
            SELECT member_id, unit, sum(remaining)::bigint AS remaining FROM {debts} x GROUP BY member_id, unit) d
            ON d.member_id = a.member_id AND d.unit = a.unit""",
    ),
    "account-knows-what-comes": (
        "The account expects its next change later than something falls due.",
        # It may expect it sooner: the lot that was to lapse has been spent.
        f"""
        SELECT a.member_id, a.last_seq AS seq, a.unit, n.at AS expected,
               CASE WHEN a.next_change_at <= n.at THEN n.at ELSE a.next_change_at END AS found
        FROM {{accounts}} a JOIN ({NEXT_CHANGES}) n ON n.member_id = a.member_id AND n.unit = a.unit""",
    ),
    "account-counts-what-is-idle": (
        "The points that lapse by inactivity are not those of the lots.",
        """
        SELECT a.member_id, a.last_seq AS seq, a.unit, coalesce(l.points, '{{}}') AS expected, coalesce((
               SELECT jsonb_object_agg(c.key, (c.value ->> 'points')::bigint) FROM jsonb_each(a.idle) c
               WHERE (c.value ->> 'points')::bigint <> 0), '{{}}') AS found
        FROM {accounts} a LEFT JOIN (
            SELECT member_id, unit, jsonb_object_agg(expiry, points) AS points FROM (
                SELECT member_id, unit, expiry, sum(remaining)::bigint AS points FROM {lots} x
                WHERE expiry IS NOT NULL AND NOT pending AND remaining > 0 GROUP BY member_id, unit, expiry) y
            GROUP BY member_id, unit) l ON l.member_id = a.member_id AND l.unit = a.unit""",
    ),
    "account-clocks-as-recorded": (
        "Points lapse by inactivity at another instant than the entries say.",
        f"""
        SELECT a.member_id, a.last_seq AS seq, a.unit,
               jsonb_build_array(i.key, (c.clocks ->> i.key)::timestamptz) AS expected,
               jsonb_build_array(i.key, (i.value ->> 'at')::timestamptz) AS found
        FROM {{accounts}} a CROSS JOIN jsonb_each(a.idle) i
        LEFT JOIN ({CLOCKS}) c ON c.member_id = a.member_id AND c.unit = a.unit
        WHERE (i.value ->> 'points')::bigint > 0""",
    ),
    "account-of-its-program": (
        "The account is not in the program of its member.",
        """
        SELECT a.member_id, a.last_seq AS seq, a.unit, m.program_id AS expected, a.program_id AS found
        FROM {accounts} a
        LEFT JOIN LATERAL (SELECT * FROM members x WHERE x.member_id = a.member_id LIMIT 1) m ON true""",
    ),
    "lot-follows-from-entries": (
        "A lot is not what the entries made of it.",
        f"""
        SELECT coalesce(l.member_id, x.member_id) AS member_id, coalesce(l.seq, x.seq) AS seq,
               coalesce(l.unit, x.unit) AS unit,
               CASE WHEN x.seq IS NOT NULL THEN jsonb_build_array(x.unit, x.points, x.remaining, x.held, x.pending,
                   x.matures_at, x.deadline_at, x.expires_at, x.expiry) END AS expected,
               CASE WHEN l.seq IS NOT NULL THEN jsonb_build_array(l.unit, l.points, l.remaining, l.held, l.pending,
                   l.matures_at, l.deadline_at, l.expires_at, l.expiry) END AS found
        FROM {{lots}} l FULL JOIN ({LOTS}) x ON x.member_id = l.member_id AND x.seq = l.seq""",
    ),
    "lot-earned-with-its-entry": (
        "Points were earned at another time than their entry says.",
        """
        SELECT l.member_id, l.seq, l.unit, CASE WHEN e.kind = 'earn' THEN e.occurred_at
                   ELSE least(e.occurred_at, l.earned_at) END AS expected, l.earned_at AS found
        FROM {lots} l JOIN {entries} e ON e.member_id = l.member_id AND e.seq = l.seq""",
    ),
    "lot-of-its-origin": (
        "A lot continues the life of one that is not there, or was not opened to continue any.",
        """
        SELECT l.member_id, l.seq, l.unit,
               CASE WHEN e.kind IN ('reinstate', 'return_spent') OR (e.kind = 'transfer_in'
                        AND coalesce(l.origin_member_id::text, l.origin_seq::text) IS NOT NULL)
                   THEN jsonb_build_array(o.member_id, o.seq, o.unit, true)
                   ELSE jsonb_build_array(NULL, NULL, l.unit, true) END AS expected,
               jsonb_build_array(l.origin_member_id, l.origin_seq, l.unit,
                   e.kind = 'reinstate' OR o.seq IS NULL OR l.earned_at = least(o.earned_at, e.occurred_at)) AS found
        FROM {lots} l JOIN {entries} e ON e.member_id = l.member_id AND e.seq = l.seq
        LEFT JOIN LATERAL (
            SELECT * FROM lots x WHERE x.member_id = l.origin_member_id AND x.seq = l.origin_seq LIMIT 1) o ON true""",
    ),
    "entry-equals-allocations": (
        "An entry moved other points in lots than in the account.",
        """
        SELECT coalesce(e.member_id, x.member_id) AS member_id, coalesce(e.seq, x.seq) AS seq, e.unit,
               ARRAY[coalesce(e.held, 0), CASE WHEN e.kind IN ('earn', 'adjust', 'transfer_in', 'return_spent',
                   'reinstate') AND l.seq IS NOT NULL THEN 0 ELSE -(e.available + e.pending) END] AS expected,
               ARRAY[coalesce(x.held, 0), coalesce(x.points, 0)] AS found
        FROM {entries} e FULL JOIN (
            SELECT member_id, seq, sum(points)::bigint AS points, sum(held)::bigint AS held
            FROM {allocations} t GROUP BY member_id, seq) x ON x.member_id = e.member_id AND x.seq = e.seq
        LEFT JOIN {lots} l ON l.member_id = e.member_id AND l.seq = e.seq""",
    ),
    "entry-adds-up": (
        "The points of an entry are not its effect on the account.",
        # These only move points between the member's own buckets.
        """
        SELECT member_id, seq, unit,
               CASE WHEN moves THEN ARRAY[available, 0] ELSE ARRAY[effect, effect] END AS expected,
               ARRAY[points, effect] AS found
        FROM (SELECT *, available + pending + held - debt AS effect,
                     kind IN ('mature', 'hold', 'release', 'debt_paid') AS moves FROM {entries} x) e""",
    ),
    "entry-of-its-kind": (
        "An entry changes what entries of its kind do not change.",
        """
        SELECT member_id, seq, unit, true AS expected, CASE kind
            WHEN 'earn' THEN points > 0 AND gives WHEN 'expire' THEN points < 0 AND available = points
            WHEN 'mature' THEN points > 0 AND available = points AND pending = -points
            WHEN 'hold' THEN points < 0 AND available = points AND held = -points WHEN 'adjust' THEN gives
            WHEN 'release' THEN points > 0 AND available = points AND held = -points
            WHEN 'redeem' THEN points < 0 AND points IN (available, held) AND pending = 0
            WHEN 'reverse' THEN points <= 0 AND gives WHEN 'debt' THEN points < 0 AND debt = -points
            WHEN 'debt_paid' THEN points < 0 AND available = points AND debt = points
            WHEN 'transfer_in' THEN CASE WHEN points > 0 THEN gives ELSE debt = -points END
            WHEN 'transfer_out' THEN CASE WHEN points < 0 THEN gives ELSE debt = -points END
            ELSE points > 0 AND gives END AS found
        FROM (SELECT *, available + pending = points AS gives FROM {entries} x) e""",
    ),
    "entry-at-its-instant": (
        "Points matured or lapsed at another instant than their lot says.",
        # What lapsed while it was held is gone when it is free.
        """
        SELECT e.member_id, e.seq, e.unit,
               CASE e.kind WHEN 'mature' THEN l.matures_at WHEN 'reverse' THEN l.deadline_at
                   ELSE greatest(l.expires_at, b.back_at) END AS expected, e.occurred_at AS found
        FROM (SELECT *, CASE WHEN reference ~ '^[0-9]{{1,18}}$' THEN reference::bigint END AS lot FROM {entries} x
              WHERE kind IN ('mature', 'expire') OR (kind = 'reverse' AND reason = 'not confirmed in time')) e
        LEFT JOIN {lots} l ON l.member_id = e.member_id AND l.seq = e.lot
        LEFT JOIN LATERAL (
            SELECT max(r.occurred_at) AS back_at FROM allocations t
            JOIN entries r ON r.member_id = t.member_id AND r.seq = t.seq
            WHERE e.kind = 'expire' AND t.member_id = e.member_id AND t.lot_seq = e.lot AND t.points < 0
              AND t.seq < e.seq) b ON true
        WHERE l.expiry IS NULL OR e.kind <> 'expire'""",
    ),
    "promises-kept": (
        "An entry promised other dates to its lot than it matured with, or promised dates to nothing.",
        # Points that waited for an event were promised none.
        """
        SELECT m.member_id, o.seq, o.unit,
               jsonb_build_array(
                   CASE WHEN o.matures_at IS NOT NULL OR o.detail ->> 'expiry' IS NULL THEN m.matures_at END,
                   CASE WHEN o.detail ->> 'expiry' IS NULL THEN m.expires_at END) AS expected,
               jsonb_build_array(o.matures_at, o.expires_at) AS found
        FROM {entries} m JOIN {entries} o ON o.member_id = m.member_id
            AND o.seq = CASE WHEN m.reference ~ '^[0-9]{{1,18}}$' THEN m.reference::bigint END
        WHERE m.kind = 'mature'
        UNION ALL
        SELECT e.member_id, e.seq, e.unit,
               jsonb_build_array(NULL, CASE WHEN e.kind = 'hold' THEN e.expires_at END) AS expected,
               jsonb_build_array(e.matures_at, e.expires_at) AS found
        FROM {entries} e LEFT JOIN {lots} l ON l.member_id = e.member_id AND l.seq = e.seq
        WHERE l.seq IS NULL AND e.kind <> 'mature'""",
    ),
    "entry-as-it-was-done": (
        "What was done by request did not take effect when it was done, or a debt was paid at another time than that.",
        # A debt is paid by the entry before, but not before it was incurred.
        """
        SELECT e.member_id, e.seq, e.unit,
               CASE WHEN e.kind = 'debt_paid' THEN greatest(p.occurred_at, d.occurred_at)
                   WHEN e.occurred_at = e.recorded_at THEN e.recorded_at ELSE e.known_at END AS expected,
               e.occurred_at AS found
        FROM {entries} e
        LEFT JOIN LATERAL (
            SELECT occurred_at FROM entries x
            WHERE e.kind = 'debt_paid' AND x.member_id = e.member_id AND x.seq < e.seq AND x.kind <> 'debt_paid'
            ORDER BY x.seq DESC LIMIT 1) p ON true
        LEFT JOIN {entries} d ON e.kind = 'debt_paid' AND d.member_id = e.member_id AND d.debt > 0
            AND d.seq = CASE WHEN e.reference ~ '^[0-9]{{1,18}}$' THEN e.reference::bigint END
        WHERE e.kind IN ('debt_paid', 'hold', 'redeem', 'return_spent', 'adjust', 'transfer_in', 'transfer_out', 'debt',
                         'reinstate')
           OR (e.kind = 'reverse' AND e.reason IS DISTINCT FROM 'not confirmed in time')""",
    ),
    "entry-names-its-lot": (
        "Points lapsed, or their event did not come, in another lot than the entry says.",
        # What was not confirmed is reversed at the deadline, and nothing else happens to pending points then.
        """
        SELECT t.member_id, t.seq, e.unit,
               jsonb_build_array(t.lot_seq::text, CASE WHEN missed THEN 'not confirmed in time' END) AS expected,
               jsonb_build_array(e.reference, CASE WHEN missed THEN e.reason END) AS found
        FROM (SELECT * FROM {entries} x WHERE kind IN ('expire', 'reverse')) e
        JOIN {allocations} t ON t.member_id = e.member_id AND t.seq = e.seq
        CROSS JOIN LATERAL (SELECT * FROM lots WHERE member_id = t.member_id AND seq = t.lot_seq OFFSET 0) l
        CROSS JOIN LATERAL (SELECT e.kind = 'reverse' AND (e.reason IS NOT DISTINCT FROM 'not confirmed in time'
                                OR (e.pending < 0 AND e.occurred_at IS NOT DISTINCT FROM l.deadline_at)) AS missed) x
        WHERE e.kind = 'expire' OR missed""",
    ),
    "running-balance": (
        "The balance after an entry is not the balance before it and its effect.",
        """
        SELECT member_id, seq, unit, available + coalesce(lag(available_after) OVER (
                   PARTITION BY member_id, unit ORDER BY seq), 0) AS expected, available_after AS found
        FROM {entries} e""",
    ),
    "entry-in-time": (
        "An entry is late and does not say so, or was not known when it was written or fell due.",
        # What falls due by itself is known at its instant; all else when it was written, but not before what precedes.
        """
        SELECT member_id, seq, unit, jsonb_build_array(coalesce(occurred_at < latest_at, false), CASE
                   WHEN may_settle AND known_at = greatest(occurred_at, unit_known_at) THEN known_at
                   ELSE greatest(recorded_at, occurred_at, member_known_at) END) AS expected,
               jsonb_build_array(late, known_at) AS found
        FROM (SELECT *, max(occurred_at) OVER u AS latest_at, max(known_at) OVER u AS unit_known_at,
                     max(known_at) OVER m AS member_known_at,
                     kind IN ('mature', 'expire', 'release', 'reverse', 'debt_paid') AS may_settle
              FROM {entries} x
              WINDOW m AS (PARTITION BY member_id ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
                     u AS (PARTITION BY member_id, unit ORDER BY seq
                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) e""",
    ),
    "seq-without-gaps": (
        "A history has a gap.",
        """
        SELECT DISTINCT ON (member_id) member_id, expected AS seq, unit, expected, found FROM (
            SELECT member_id, unit, seq AS found, row_number() OVER (PARTITION BY member_id ORDER BY seq) AS expected
            FROM {entries} x) e
        WHERE expected <> found ORDER BY member_id, found""",
    ),
    "hold-follows-from-entries": (
        "A hold is not what the entries say of it.",
        f"""
        SELECT coalesce(h.member_id, x.member_id) AS member_id, coalesce(h.seq, x.seq) AS seq,
               coalesce(h.unit, x.unit) AS unit,
               CASE WHEN x.seq IS NOT NULL THEN jsonb_build_array(x.hold_id, x.unit, x.points, x.captured, x.status,
                   x.held_at, x.expires_at, x.resolved_at, x.order_id, x.reason,
                   CASE WHEN x.status = 'held' THEN 0 ELSE x.points END) END AS expected,
               CASE WHEN h.seq IS NOT NULL THEN jsonb_build_array(h.hold_id, h.unit, h.points, h.captured, h.status,
                   h.held_at, h.expires_at, h.resolved_at, h.order_id, h.reason, x.resolved) END AS found
        FROM {{holds}} h FULL JOIN ({HOLDS}) x ON x.member_id = h.member_id AND x.seq = h.seq""",
    ),
    "debt-follows-from-entries": (
        "A debt is not what was incurred less what was paid.",
        f"""
        SELECT coalesce(d.member_id, x.member_id) AS member_id, coalesce(d.seq, x.seq) AS seq,
               coalesce(d.unit, x.unit) AS unit,
               CASE WHEN x.seq IS NOT NULL THEN jsonb_build_array(x.unit, x.points, x.remaining, x.incurred_at,
                   x.order_id, CASE WHEN x.kind = 'debt' THEN x.reference ELSE d.reference END) END AS expected,
               CASE WHEN d.seq IS NOT NULL THEN jsonb_build_array(d.unit, d.points, d.remaining, d.incurred_at,
                   d.order_id, d.reference) END AS found
        FROM {{debts}} d FULL JOIN ({DEBTS}) x ON x.member_id = d.member_id AND x.seq = d.seq""",
    ),
    "upcoming-equals-lots": (
        "What is said to mature and to lapse at an instant is not what the lots say.",
        f"""
        SELECT coalesce(u.member_id, x.member_id) AS member_id, NULL::bigint AS seq, coalesce(u.unit, x.unit) AS unit,
               jsonb_build_array(coalesce(u.at, x.at), coalesce(x.maturing, 0), coalesce(x.expiring, 0)) AS expected,
               jsonb_build_array(coalesce(u.at, x.at), coalesce(u.maturing, 0), coalesce(u.expiring, 0)) AS found
        FROM {{upcoming}} u FULL JOIN ({UPCOMING}) x ON x.member_id = u.member_id AND x.unit = u.unit AND x.at = u.at
        """,
    ),
    "checkpoint-equals-entries": (
        "A checkpoint is not the sum of the entries before it.",
        f"""
        SELECT coalesce(c.member_id, x.member_id) AS member_id, coalesce(c.seq, x.seq) AS seq,
               coalesce(c.unit, x.unit) AS unit,
               CASE WHEN x.seq IS NOT NULL THEN jsonb_build_array(x.available, x.pending, x.held, x.debt, x.earned,
                   x.spent, x.latest_at, x.known_at) END AS expected,
               CASE WHEN c.seq IS NOT NULL THEN jsonb_build_array(c.available, c.pending, c.held, c.debt,
                   c.lifetime_earned, c.lifetime_spent, c.latest_at, c.known_at) END AS found
        FROM {{checkpoints}} c FULL JOIN ({CHECKPOINTS}) x
            ON x.member_id = c.member_id AND x.unit = c.unit AND x.seq = c.seq""",
    ),
}
