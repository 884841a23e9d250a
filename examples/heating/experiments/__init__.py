"""The experiments: importing this package registers them, which is how the worker finds them."""

from .houses import heating
from .insulation import payback

__all__ = ["heating", "payback"]
