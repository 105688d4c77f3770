"""The audit of redemptions that ends every test of the database: each is in the books what it says of itself."""

from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session

_ASKED = "(%(program_id)s::uuid IS NULL OR {0}.program_id = %(program_id)s::uuid) AND {0}.program_id > %(since)s::uuid"
_OF_REDEMPTIONS = _ASKED.format("r")

CHECKS = {
    "a redemption is held by as many points, until the same instant": f"""
        SELECT r.redemption_id, r.status, h.status, r.points, h.points FROM redemptions r
        LEFT JOIN holds h ON h.member_id = r.member_id AND h.hold_id = 'redemption/' || r.redemption_id
        WHERE {_OF_REDEMPTIONS} AND r.expires_at IS NOT NULL
          AND (h.hold_id IS NULL OR h.points <> r.points OR h.expires_at <> r.expires_at OR h.unit <> 'points'
               OR (r.confirmed_at IS NOT NULL) <> (h.status = 'captured')
               OR h.status = 'released' AND r.status <> 'cancelled')""",
    "a hold of a redemption has its redemption": f"""
        SELECT h.hold_id FROM holds h JOIN members m ON m.member_id = h.member_id
        LEFT JOIN redemptions r ON r.member_id = h.member_id AND 'redemption/' || r.redemption_id = h.hold_id
        WHERE {_ASKED.format("m")} AND h.hold_id LIKE 'redemption/%%' AND r.expires_at IS NULL""",
    "a redemption is paid by an entry of as many points, once": f"""
        SELECT r.redemption_id, r.status, r.points, e.points FROM redemptions r
        LEFT JOIN entries e ON e.member_id = r.member_id AND e.seq = r.entry_seq AND e.kind = 'redeem'
          AND e.reference IN (r.redemption_id, 'redemption/' || r.redemption_id)
        WHERE {_OF_REDEMPTIONS} AND r.confirmed_at IS NOT NULL AND e.points IS DISTINCT FROM -r.points
        UNION ALL
        SELECT min(r.redemption_id), 'paid twice', count(*), NULL FROM redemptions r
        WHERE {_OF_REDEMPTIONS} AND r.entry_seq IS NOT NULL GROUP BY r.member_id, r.entry_seq HAVING count(*) > 1""",
    "of the stock something is kept for what is held, and for nothing else": f"""
        SELECT s.redemption_id, r.status FROM stock_holds s
        LEFT JOIN redemptions r ON r.member_id = s.member_id AND r.redemption_id = s.redemption_id
        WHERE {_ASKED.format("s")} AND (r.status IS DISTINCT FROM 'held' OR NOT r.took_stock
          OR r.expires_at <> s.expires_at OR s.reward_code NOT IN ('', r.reward_code))""",
    "a code of a pool is given to one redemption that gave it": f"""
        SELECT p.code, r.redemption_id FROM pool_codes p
        LEFT JOIN redemptions r ON r.member_id = p.member_id AND r.redemption_id = p.redemption_id
          AND r.voucher_code = p.code AND r.reward_code = p.pool AND r.fulfilment = 'pool'
        WHERE {_ASKED.format("p")} AND p.given_at IS NOT NULL AND p.redemption_id IS NOT NULL
          AND r.confirmed_at IS NULL
          AND EXISTS (SELECT FROM rewards w WHERE w.program_id = p.program_id AND w.code = p.pool)
        UNION ALL
        SELECT r.voucher_code, r.redemption_id FROM redemptions r
        WHERE {_OF_REDEMPTIONS} AND r.fulfilment = 'pool' AND r.confirmed_at IS NOT NULL AND 1 <>
          (SELECT count(*) FROM pool_codes p WHERE p.program_id = r.program_id AND p.pool = r.reward_code
             AND p.code = r.voucher_code AND p.member_id = r.member_id AND p.redemption_id = r.redemption_id)""",
    "the free codes of a pool are what is left of its reward and what is kept": f"""
        SELECT w.code, s.remaining, f.free, h.kept FROM rewards w
        LEFT JOIN reward_stock s ON s.program_id = w.program_id AND s.code = w.code
        CROSS JOIN LATERAL (SELECT count(*) AS free FROM pool_codes p
          WHERE p.program_id = w.program_id AND p.pool = w.code AND p.given_at IS NULL) f
        CROSS JOIN LATERAL (SELECT count(*) AS kept FROM stock_holds h
          WHERE h.program_id = w.program_id AND h.reward_code = w.code) h
        WHERE {_ASKED.format("w")} AND w.content ->> 'fulfilment' = 'pool'
          AND s.remaining + h.kept IS DISTINCT FROM f.free""",
    "a voucher is given with what is confirmed, and void once that is cancelled": f"""
        SELECT r.redemption_id, r.status, r.voucher_code FROM redemptions r
        LEFT JOIN vouchers v ON v.member_id = r.member_id AND v.code = r.voucher_code
        WHERE {_OF_REDEMPTIONS} AND (
          (r.voucher_code IS NOT NULL) <> (r.confirmed_at IS NOT NULL AND r.fulfilment IN ('code', 'pool'))
          OR r.voucher_code IS NOT NULL AND v.redemption_id IS DISTINCT FROM r.redemption_id
          OR r.status = 'cancelled' AND v.code IS NOT NULL AND v.voided_at IS NULL)""",
    "the id of a redemption is claimed": f"""
        SELECT r.redemption_id FROM redemptions r WHERE {_OF_REDEMPTIONS} AND NOT EXISTS (
          SELECT FROM natural_keys k WHERE k.program_id = r.program_id AND k.kind = 'redemption'
            AND k.key = r.redemption_id AND k.member_id = r.member_id)""",
    "every step of a redemption is told once": f"""
        SELECT r.redemption_id, r.status, array_agg(e.type) FROM redemptions r
        LEFT JOIN events e ON e.program_id = r.program_id AND e.type LIKE 'redemption.%%'
          AND e.data ->> 'redemption_id' = r.redemption_id
        WHERE {_OF_REDEMPTIONS} GROUP BY r.member_id, r.redemption_id
        HAVING array_agg(e.type::text ORDER BY e.type::text) <> array_remove(ARRAY[
          CASE WHEN r.status = 'cancelled' THEN 'redemption.cancelled' END,
          CASE WHEN r.confirmed_at IS NOT NULL THEN 'redemption.confirmed' END,
          CASE WHEN r.status = 'expired' THEN 'redemption.expired' END,
          CASE WHEN r.fulfilled_at IS NOT NULL THEN 'redemption.fulfilled' END,
          CASE WHEN r.expires_at IS NOT NULL THEN 'redemption.held' END], NULL)""",
}


def assert_redemptions_stand(session: Session, program_id: UUID | None, since: UUID) -> None:
    """Points, stock, codes, ids and facts agree on every redemption."""
    where = {"program_id": program_id, "since": since}
    for meaning, sql in CHECKS.items():
        assert session.rows(sql, where, into=tuple_row) == [], f"it does not hold that {meaning}"
