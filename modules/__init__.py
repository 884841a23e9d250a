"""The constructs: one folder per Terraform module, each with its settings and what its export needs.

Importing it installs the import seam of the AWS provider's bindings (`modules.bindings`) and nothing else.
"""

from modules.bindings import install

install()
