"""Any sequence of redemptions and releases of one voucher, against a plain list of who uses it."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.core.errors import DomainError
from loyalty.core.ids import new_id
from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.programs.domain import Program
from loyalty.vouchers import claiming, queries, redeeming, service
from loyalty.vouchers.domain import VoucherTerms, Wish
from loyalty.vouchers.service import Origin
from tests.builders import NOW, a_program

steps = st.lists(
    st.tuples(st.sampled_from(["redeem", "release"]), st.sampled_from("ABCD"), st.sampled_from(["c-1", "c-2", None])),
    max_size=25,
)
terms = st.builds(
    VoucherTerms,
    st.just({"type": "discount_percent", "percent": 10}),
    uses_allowed=st.sampled_from([None, 1, 2, 3]),
    per_customer=st.sampled_from([None, 1, 2]),
)


def a_free_voucher(session: Session, program: Program, given_terms: VoucherTerms) -> str:
    changes = Changes()
    ((owner, code),) = claiming.draw(session, program.program_id, 1, new_id)
    origin = Origin(batch_id="b-1")
    service.add(
        changes, owner, code, given_terms, program_id=program.program_id, bound=False, origin=origin, now=NOW
    )  # fmt: skip
    write(session, changes)
    return code


def expected(live: dict[str, str | None], step: tuple[str, str, str | None], given_terms: VoucherTerms) -> str:
    """What should become of a step: "new", "again", or the code of a refusal."""
    verb, order_id, customer_id = step
    if verb == "release":
        return "new" if order_id in live else "voucher-not-redeemed"
    if order_id in live:
        return "again" if live[order_id] == customer_id else "idempotency-conflict"
    if given_terms.uses_allowed is not None and len(live) >= given_terms.uses_allowed:
        return "voucher-used-up"
    limit = given_terms.per_customer
    if limit is not None and (customer_id is None or list(live.values()).count(customer_id) >= limit):
        return "voucher-customer-limit"
    return "new"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(terms, steps)
def test_a_voucher_does_what_a_list_of_its_orders_would(
    session: Session, given_terms: VoucherTerms, sequence: list[tuple[str, str, str | None]]
):
    program = a_program(session)
    code, live, released = a_free_voucher(session, program, given_terms), {}, {}

    for step in sequence:
        verb, order_id, customer_id = step
        wish = Wish(order_id=order_id, customer_id=customer_id, order_total=1000)
        should = expected(live, step, given_terms)
        if verb == "release" and order_id in released:
            should = "again" if released[order_id] == customer_id else "idempotency-conflict"
        try:
            answer = getattr(redeeming, verb)(session, program.program_id, code, wish, now=NOW)
            became = "again" if answer.replayed else "new"
        except DomainError as refusal:
            became = refusal.code
        assert became == should, step
        if became == "new" and verb == "redeem":
            live[order_id] = customer_id
            released.pop(order_id, None)
        elif became == "new":
            del live[order_id]
            released[order_id] = customer_id

    held = queries.held_voucher(session, program.program_id, code)
    assert held.uses == len(live)
    assert queries.orders_of(session, held) == sorted(live)
