"""How Python becomes Terraform: expressions, rules, stacks, variables, and the seam that loads the provider's bindings.

Importing it installs that seam (`synthesis.bindings`) and nothing else.
"""

from synthesis.bindings import install

install()
