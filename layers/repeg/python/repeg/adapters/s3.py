"""Reads plans from S3, and stores the objects of the journal there."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from repeg.domain.errors import InvalidPlan, StoreUnavailable

MAX_BYTES = 1_000_000

# Errors that a retry cannot cure, and what the plan's address should name instead. Any other error may be transient.
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_PERMANENT = {
    "NoSuchKey": "an object that exists",
    "NoSuchBucket": "a bucket that exists",
    "404": "an object that exists",
    "AccessDenied": "an object that this function may read",
    "403": "an object that this function may read",
    "InvalidBucketName": "a bucket that exists",
}


class S3Plans:
    """Plans stored as objects, addressed as s3://bucket/key."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def body(self, uri: str) -> bytes:
        """The bytes of a plan. Raises InvalidPlan if there is no readable object, StoreUnavailable if S3 fails."""
        bucket, key = _address(uri)
        try:
            body: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read(MAX_BYTES + 1)
        except ClientError as error:
            raise _translated(uri, error) from None
        except BotoCoreError as error:
            raise StoreUnavailable(f"{uri}: {type(error).__name__}") from None
        if len(body) > MAX_BYTES:
            raise InvalidPlan("plan_uri", uri, f"at most {MAX_BYTES} bytes")
        return body


class S3Objects:
    """Objects of one bucket. The client is made on first use: most of a container's start is spent on clients."""

    def __init__(self, make_client: Callable[[], Any], bucket: str) -> None:
        self._make_client = make_client
        self._bucket = bucket

    @cached_property
    def _client(self) -> Any:
        return self._make_client()

    def put(self, key: str, body: bytes) -> None:
        """Store one object. Raises what the client raises."""
        self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/gzip")


def _address(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    key = uri.removeprefix(f"s3://{parts.netloc}/")
    if parts.scheme != "s3" or not parts.netloc or key in {"", uri}:
        raise InvalidPlan("plan_uri", uri, "s3://<bucket>/<key>")
    return parts.netloc, key


def _translated(uri: str, error: ClientError) -> InvalidPlan | StoreUnavailable:
    code = error.response["Error"].get("Code", "")
    if code in _PERMANENT:
        return InvalidPlan("plan_uri", uri, _PERMANENT[code])
    return StoreUnavailable(f"{uri}: {code}")
