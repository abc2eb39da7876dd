"""The limits a resource or the whole stack may put on what one run destroys. Read by `plan/guards.py`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from reconciler.units import Percent, Size


class GuardSpec(BaseModel):
    """Limits on what one run may destroy."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    max: int | None = Field(default=None, ge=0, description="Subjects that one run may destroy.")
    max_bytes: Size | None = Field(default=None, description="Bytes that one run may destroy.")
    max_percent: Percent | None = Field(default=None, description="Share of the population that one run may destroy.")
