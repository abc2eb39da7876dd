"""The desired state: YAML in, typed resources with their places out; JSON Schema, explanations, first files.

`load` is the way in. Nothing here speaks to a network or reads a secret.
"""

from reconciler.desired.load import Desired, load
from reconciler.desired.schema import schema

__all__ = ["Desired", "load", "schema"]
