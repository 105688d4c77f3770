"""What a shop does with rewards, one line each. Every answer is the answer of the service."""

from datetime import datetime
from typing import Any

from psycopg.rows import tuple_row

from loyalty.db.session import transaction
from loyalty.rewards import expiring
from tests.api import Api
from tests.builders import reward_json
from tests.shop import adjust

FIVE_OFF = "five-off"
TTL = 900


def offer(api: Api, code: str = FIVE_OFF, **given: Any) -> Any:
    """Publish a reward, or publish it anew: 5 off by a code for 100 points unless said otherwise."""
    path = f"/v1/admin/rewards/{code}"
    found = api.get(path)
    headers = {"If-Match": found.headers["ETag"]} if found.status_code == 200 else {}
    answer = api.put(path, reward_json(**given), headers=headers)
    assert answer.status_code in (200, 201), answer.json
    return answer


def upload(api: Api, count: int, code: str = FIVE_OFF, *, prefix: str = "GIFT-CARD") -> list[str]:
    """Upload codes for the pool of a reward."""
    codes = [f"{prefix}-{number:04}" for number in range(count)]
    answer = api.post(f"/v1/admin/rewards/{code}/codes", {"codes": codes})
    assert answer.status_code in (200, 201), answer.json
    return codes


def enrol(api: Api, customer_id: str = "c-42", points: int = 100) -> None:
    """A member with points that never lapse, unless the program says otherwise."""
    api.enrol(customer_id)
    if points:
        assert adjust(api, points, customer_id).status_code == 201


def redeem(api: Api, redemption_id: str = "r-1", customer_id: str = "c-42", reward: str = FIVE_OFF) -> Any:
    """Redeem at once."""
    return api.post(f"/v1/members/{customer_id}/redemptions", {"reward": reward, "redemption_id": redemption_id})


def hold(
    api: Api, redemption_id: str = "r-1", customer_id: str = "c-42", reward: str = FIVE_OFF, seconds: int = TTL
) -> Any:
    """Hold points, and one of the stock, for a redemption."""
    wish = {"reward": reward, "redemption_id": redemption_id, "hold": True, "hold_seconds": seconds}
    return api.post(f"/v1/members/{customer_id}/redemptions", wish)


def confirm(api: Api, redemption_id: str = "r-1") -> Any:
    """Confirm what is held."""
    return api.post(f"/v1/redemptions/{redemption_id}/confirm")


def cancel(api: Api, redemption_id: str = "r-1", **given: Any) -> Any:
    """Cancel a redemption."""
    return api.post(f"/v1/redemptions/{redemption_id}/cancel", given)


def fulfil(api: Api, redemption_id: str = "r-1", **given: Any) -> Any:
    """Say that the member has it."""
    return api.post(f"/v1/redemptions/{redemption_id}/fulfil", given)


def status(api: Api, redemption_id: str = "r-1") -> str:
    """What a redemption is now."""
    return api.get(f"/v1/redemptions/{redemption_id}").json["status"]


def left(api: Api, code: str = FIVE_OFF) -> int | None:
    """How many are left of a reward."""
    return api.get(f"/v1/admin/rewards/{code}").json["stock"]


def told(api: Api) -> list[tuple[str, datetime, str | None]]:
    """The facts that were told, oldest first: what, when it happened, to whom.

    As they are written: the feed waits for whatever else writes to the server, such as other tests.
    """
    sql = "SELECT type, occurred_at, customer_id FROM events WHERE program_id = %s ORDER BY event_id"
    with api.app.app_context(), transaction() as session:
        return session.rows(sql, (api.program.program_id,), into=tuple_row)


def facts(api: Api, prefix: str = "redemption.") -> list[str]:
    """The facts that were told, by type, oldest first."""
    return [fact.removeprefix(prefix) for fact, _, _ in told(api) if fact.startswith(prefix)]


def expire(api: Api, now: Any) -> int:
    """What the job does, for this shop."""
    with api.app.app_context(), transaction() as session:
        return expiring.expire_program(session, api.program.program_id, now=now)
