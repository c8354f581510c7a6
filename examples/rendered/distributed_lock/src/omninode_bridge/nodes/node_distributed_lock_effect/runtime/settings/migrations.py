# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Whether migrations apply themselves."""

from pydantic import Field

from .database import DatabaseSettings


class MigrationSettings(DatabaseSettings):
    """Whether migrations apply themselves."""

    database_migrate_on_start: bool = Field(default=True, description="Apply pending migrations when connecting.")
