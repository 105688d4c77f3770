"""Categories of goods are paths: "coffee > beans" lies below "coffee", and what is said of "coffee" covers it."""

from functools import lru_cache

SEPARATOR = " > "


@lru_cache(maxsize=65_536)
def lineage(category: str | None) -> tuple[str, ...]:
    """A category after all that it lies below, the widest first. Nothing lies in no category.

    >>> lineage("coffee > beans")
    ('coffee', 'coffee > beans')
    """
    if category is None:
        return ()
    parts = category.split(SEPARATOR)
    return tuple(SEPARATOR.join(parts[: number + 1]) for number in range(len(parts)))
