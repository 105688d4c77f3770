"""Rehearsals that somebody asks for."""

from loyalty.rehearsals.examples import NEW_LADDER_REHEARSAL, NEW_REHEARSAL
from loyalty.rehearsals.offer_examples import NEW_OFFER_REHEARSAL
from tests.api import Api

EXAMPLES = {"earning-rules": NEW_REHEARSAL, "ladder": NEW_LADDER_REHEARSAL, "offers": NEW_OFFER_REHEARSAL}


def ask_for_one_of_each(api: Api) -> None:
    """Ask for a rehearsal of each kind; nobody does them."""
    for of, wanted in EXAMPLES.items():
        answer = api.post(f"/v1/admin/{of}/rehearse", wanted)
        assert answer.status_code == 202, answer.json
