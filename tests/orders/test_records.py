"""What is kept of an order: the document as it was reported, its lines as rows, and what it came to."""

from psycopg.rows import dict_row, scalar_row, tuple_row

from loyalty.db.session import Session
from loyalty.orders.service import record_order
from tests.builders import NOW, a_line, a_member, a_program, an_order

ORDER = "SELECT * FROM orders WHERE program_id = %s"
LINES = "SELECT * FROM order_lines WHERE program_id = %s ORDER BY line_id"


def test_the_total_is_what_lines_and_shipping_cost_less_all_discounts(session: Session):
    program = a_program(session)
    a_member(session, program, "c-42")
    order = an_order(a_line(1000, quantity=3, discount=500), a_line(200), shipping=490, discount=90, points_paid=1000)

    record_order(session, program.program_id, order, now=NOW)

    kept = session.row(ORDER, (program.program_id,), into=dict_row)
    assert kept is not None
    assert kept["total"] == 3 * 1000 - 500 + 200 + 490 - 90
    assert (kept["shipping"], kept["discount"], kept["points_paid"]) == (490, 90, 1000)
    assert (kept["placed_at"], kept["recorded_at"], kept["status"]) == (order.placed_at, NOW, "recorded")


def test_the_lines_of_an_order_are_rows_to_whoever_counts_them(session: Session):
    program = a_program(session)
    member = a_member(session, program, "c-42")
    order = an_order(
        a_line(1500, line_id="1", sku="A", category="coffee > beans", quantity=2, discount=5, tax=7),
        a_line(0, line_id="2", sku="B"),
        order_id="A-1",
    )

    record_order(session, program.program_id, order, now=NOW)

    whose = {"member_id": member.member_id, "order_id": "A-1", "program_id": program.program_id, "placed_at": NOW}
    assert session.rows(LINES, (program.program_id,), into=dict_row) == [
        {
            **whose, "line_id": "1", "sku": "A", "category": "coffee > beans", "quantity": 2, "unit_price": 1500,
            "discount": 5, "tax": 7,
        },
        {
            **whose, "line_id": "2", "sku": "B", "category": None, "quantity": 1, "unit_price": 0, "discount": 0,
            "tax": 0,
        },
    ]  # fmt: skip


def test_every_guest_order_belongs_to_an_id_of_its_own_which_is_nobodys(session: Session):
    program = a_program(session)
    for _ in range(3):
        record_order(session, program.program_id, an_order(customer_id=None), now=NOW)

    owners = session.rows("SELECT member_id FROM orders WHERE program_id = %s", (program.program_id,), into=scalar_row)

    assert len(set(owners)) == 3
    nobody = "SELECT 1 FROM members WHERE member_id = ANY(%s) UNION ALL SELECT 1 FROM entries WHERE member_id = ANY(%s)"
    assert session.rows(nobody, (owners, owners), into=tuple_row) == []


def test_an_entry_names_the_order_the_rule_and_the_lines_it_came_from(session: Session):
    program = a_program(session)
    member = a_member(session, program, "c-42")
    lines = [a_line(350, line_id=line_id) for line_id in ("1", "2", "3")]

    record_order(session, program.program_id, an_order(*lines, order_id="A-1"), now=NOW)

    entry = session.row("SELECT * FROM entries WHERE member_id = %s", (member.member_id,), into=dict_row)
    assert entry is not None
    assert (entry["order_id"], entry["rule_code"], entry["rule_version"]) == ("A-1", "base", 1)
    split = {"1": 4, "2": 3, "3": 3}
    assert entry["detail"] == {"lines": [{"line_id": line_id, "points": points} for line_id, points in split.items()]}
