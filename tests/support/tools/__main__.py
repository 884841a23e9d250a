"""Install all tools: ``python -m tests.support.tools``. Tests would do it too, as they need them."""

from __future__ import annotations

import contextlib

from tests.support.tools import checkov, node, provider_6
from tests.support.tools.installation import InstallationError

checkov.install()
node.install(node.CDKTF_CLI)
node.install(node.IAM_SIMULATE)
# Its test says what it is like without it.
with contextlib.suppress(InstallationError):
    provider_6.install()
