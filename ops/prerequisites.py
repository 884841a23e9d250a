"""What a machine must have beside Python: ``python3 -m ops.prerequisites``, before anything is installed."""

from __future__ import annotations

import os
import sys

from ops.terraform import Terraform, TerraformError


def main() -> int:
    """Print what is missing, in one line; the exit status is 2 then."""
    try:
        Terraform.require(os.environ)
    except TerraformError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
