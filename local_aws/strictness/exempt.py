"""Operations of which AWS refuses nothing that the stacks could send, and why."""

from __future__ import annotations

from local_aws.strictness.rule import Exempt

EXEMPT: tuple[Exempt, ...] = ()
