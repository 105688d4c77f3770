"""What somebody may have meant who wrote a name that nobody knows."""

from collections import defaultdict
from collections.abc import Collection
from difflib import get_close_matches
from functools import cached_property

# Comparing letters is slow: so many names are looked up by likeness, each among so many. Differences in case, spaces
# and dashes alone are found for any number.
LOOKED_UP = 40
COMPARED = 500
LENGTHS_APART = 2
ALIKE = 0.8


class Spelling:
    """Known names, to be asked for the one that is nearest to another."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = known
        self._left = LOOKED_UP

    def nearest(self, name: str) -> str | None:
        """The known name that is most like this one, if any is."""
        form = _form(name)
        if form in self._by_form:
            return self._by_form[form]
        if not form or not self._left:
            return None
        self._left -= 1
        near = [other for other in self._by_initial[form[0]] if abs(len(other) - len(form)) <= LENGTHS_APART]
        found = get_close_matches(form, near[:COMPARED], n=1, cutoff=ALIKE)
        return self._by_form[found[0]] if found else None

    @cached_property
    def _by_form(self) -> dict[str, str]:
        return {_form(name): name for name in sorted(self._known, reverse=True)}

    @cached_property
    def _by_initial(self) -> dict[str, list[str]]:
        found = defaultdict(list)
        for form in sorted(self._by_form):
            if form:
                found[form[0]].append(form)
        return found


def _form(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
