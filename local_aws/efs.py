"""What moto 5.2.5 lacks of Amazon EFS for Terraform."""

from __future__ import annotations

from typing import Any

from moto.efs.exceptions import FileSystemNotFound
from moto.efs.responses import EFSResponse

from local_aws.replacing import replace


def correct_efs() -> None:
    """Correct moto's EFS in this process."""
    delete_policies()


def delete_policies() -> None:
    """Delete a file system's policy, which moto only stores.

    https://docs.aws.amazon.com/efs/latest/ug/API_DeleteFileSystemPolicy.html
    """

    def delete_file_system_policy(self: Any) -> tuple[str, dict[str, str | int]]:
        name = self._get_param("FileSystemId")
        system = self.efs_backend.file_systems_by_id.get(name)
        if system is None:
            raise FileSystemNotFound(name)
        system.file_system_policy = None
        return "{}", {"Content-Type": "application/json"}

    replace(EFSResponse, "delete_file_system_policy", delete_file_system_policy)
