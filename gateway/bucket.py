"""S3-compatible storage behind Django's own seam: a request a photo, and errors that say what they mean."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile, File
from storages.backends.s3 import S3Storage

from gateway.errors import StorageUnavailable

# A camera waits at the other end, for all attempts together.
CLIENT = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})


class Bucket(S3Storage):  # type: ignore[misc]
    """A bucket, or a folder in one. What is kept is named by its content, so that writing again changes nothing.

    Keys, region and endpoint come from where every AWS client looks for them: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
    AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_S3, or the machine's own role. FileNotFoundError and StorageUnavailable are raised.
    """

    def get_default_settings(self) -> dict[str, Any]:
        """Return the library's settings with ours."""
        return {**super().get_default_settings(), "client_config": CLIENT, "file_overwrite": True}

    def look(self) -> None:
        """Raise FileNotFoundError or StorageUnavailable where nothing could be kept."""
        with _calling(self.bucket_name):
            self._client.head_bucket(Bucket=self.bucket_name)

    def move(self, old: str, new: str) -> bool:
        """Give an object another name; False where there is none. Both names lead to it for a moment, never none."""
        try:
            with _calling(old):
                self._client.copy_object(**self._named(new), CopySource=self._named(old))
        except FileNotFoundError:
            return False
        self.delete(old)
        return True

    def delete(self, name: str) -> None:
        """Remove an object; no harm where there is none."""
        with _calling(name):
            self._client.delete_object(**self._named(name))

    def listed(self, folder: str) -> Iterator[tuple[str, datetime]]:
        """Yield the name of each object in `folder`, and when it was written there."""
        start = self._named(folder)["Key"] + "/"
        with _calling(folder):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket_name, Prefix=start):
                for entry in page.get("Contents", ()):
                    yield entry["Key"].removeprefix(start), entry["LastModified"]

    def _save(self, name: str, content: Any) -> str:
        # The library's own way starts threads for every upload and asks three times for a download.
        with _calling(name):
            self._client.put_object(**self._named(name), Body=content.read())
        return name

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        with _calling(name):
            data = self._client.get_object(**self._named(name))["Body"].read()
        return ContentFile(data, name=name)

    @property
    def _client(self) -> Any:
        return self.connection.meta.client

    def _named(self, name: str) -> dict[str, str]:
        return {"Bucket": self.bucket_name, "Key": f"{self.location}/{name}" if self.location else name}


@contextmanager
def _calling(name: str) -> Iterator[None]:
    """Say in our words what went wrong with the object `name`."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
            raise FileNotFoundError(errno.ENOENT, "It is not in the bucket", name) from None
        raise StorageUnavailable(errno.EIO, str(error), name) from error
    except BotoCoreError as error:
        raise StorageUnavailable(errno.EIO, str(error), name) from error
