"""What all tests stand on."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from local_aws import LocalAws
from tests.support.providers import Providers


def pytest_configure() -> None:
    """Have Ctrl-C heard: what a shell runs in its background ignores it, and so would all that the tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def providers(aws: LocalAws) -> Iterator[Providers]:
    """The providers of a test's local AWS."""
    with Providers.of(aws.environment) as started:
        yield started
