"""What is refused about segments."""

from loyalty.core.errors import NotFound


class SegmentNotFound(NotFound):
    """There is no such segment under the rules in force."""

    code = "segment-not-found"

    def __init__(self, segment: str) -> None:
        super().__init__(f"There is no segment '{segment}' under the rules in force.", segment=segment)
