"""The Terraform modules: a folder for each, with its construct and its settings; `common` has what several use."""

import synthesis  # noqa: F401  (the import seam, before any binding)
