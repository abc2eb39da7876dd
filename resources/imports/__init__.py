"""Whether an app has imported what a download brought: shared by every kind that deletes because of it.

proof     from the complete history of every app, and the file that is there
coverage  whether the videos of a payload are all among what was imported
"""

from resources.imports.proof import STILL, Imports, Proof, Taken, looks, still_taken

__all__ = ["STILL", "Imports", "Proof", "Taken", "looks", "still_taken"]
