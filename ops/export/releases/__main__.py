"""``python -m ops.export.releases``: record the newest release."""

from ops.export.releases import main

main()
