"""A program that redeems a reward by itself, and what its jobs do."""

from datetime import datetime
from typing import Any

from psycopg.rows import scalar_row

from loyalty.db.batches import in_batches
from loyalty.db.session import transaction
from loyalty.rewards import auto_redeeming, sweeping
from tests.api import Api
from tests.builders import NOW, reward_json
from tests.shop import configure


def give_by_itself(api: Api, **reward: Any) -> None:
    """Publish a reward for 100 points unless said otherwise, and let it be redeemed by itself from now on."""
    answer = api.put("/v1/admin/rewards/five-off", reward_json(**reward))
    assert answer.status_code == 201, answer.json
    configure(api, auto_redeem={"reward": "five-off"})


def republish(api: Api, **reward: Any) -> None:
    """Publish the reward anew."""
    etag = api.get("/v1/admin/rewards/five-off").headers["ETag"]
    answer = api.put("/v1/admin/rewards/five-off", reward_json(**reward), headers={"If-Match": etag})
    assert answer.status_code == 200, answer.json


def withdraw(api: Api, code: str = "five-off") -> None:
    """Take a reward out of the catalogue."""
    answer = api.post(f"/v1/admin/rewards/{code}/withdraw", headers={"Idempotency-Key": f"withdraw {code}"})
    assert answer.status_code == 200, answer.json


def serve(api: Api, now: datetime = NOW) -> int:
    """Run the job until it finds nothing to do in this program; answers how many members it served."""
    program_id = api.program.program_id
    with api.app.app_context():
        return in_batches(lambda session: auto_redeeming.redeem_next(session, program_id, now=now))


def search(api: Api, now: datetime, *, limit: int = 1_000) -> None:
    """Run the search until it finds nothing to do."""
    with api.app.app_context():
        in_batches(lambda session: sweeping.sweep_batch(session, now=now, limit=limit))


def noticed(api: Api) -> list[str]:
    """Whom the ledger made a note of."""
    wanted = """
        SELECT m.customer_id FROM account_notices n JOIN members m ON m.member_id = n.member_id
        WHERE n.program_id = %s ORDER BY 1
    """
    with api.app.app_context(), transaction() as session:
        return session.rows(wanted, (api.program.program_id,), into=scalar_row)


def redeemed(api: Api, customer_id: str = "c-42") -> list[dict[str, Any]]:
    """A member's redemptions, newest first."""
    return api.get(f"/v1/members/{customer_id}/redemptions").json["data"]


def waits(api: Api) -> list[tuple[str, str, str | None]]:
    """Who waits for the reward, why, and until when."""
    found = api.get("/v1/admin/automatic-redemption/waits").json["data"]
    return [(wait["customer_id"], wait["reason"], wait["retry_at"]) for wait in found]
