"""The broker's API keys from Secrets Manager, fetched again when the broker rejects them."""

from __future__ import annotations

import threading

import boto3
from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError, TransformParameterError
from pydantic import ValidationError

from repeg.adapters.alpaca.keys import Keys, TradingMode, ensure_keys_fit
from repeg.adapters.aws import AWS
from repeg.domain.errors import BrokerUnavailable, InvalidSettings, RepegError

MAX_AGE_SECONDS = 300


class SecretKeys:
    """A KeySource on a secret of the form {"key_id": …, "secret_key": …}.

    Raises BrokerUnavailable if the secret cannot be read, InvalidSettings if its content is invalid.
    """

    def __init__(self, arn: str, mode: TradingMode) -> None:
        self._arn = arn
        self._mode = mode
        self._provider = SecretsProvider(boto3_client=boto3.client("secretsmanager", config=AWS, verify=True))
        self._lock = threading.Lock()
        self._rejected: Keys | None = None
        self._keys = self._read()

    def current(self) -> Keys:
        """The pair to use."""
        return self._keys

    def renewed(self, rejected: Keys) -> Keys:
        """The pair to use after a rejection.

        The first rejection of a pair bypasses the cache; later ones wait for the cache to expire, so that revoked keys
        do not cause a burst of requests. When many workers are rejected at once, the first fetches for all.
        """
        with self._lock:
            if self._keys == rejected:
                self._keys = self._read() if self._rejected == rejected else self._read(force_fetch=True)
                self._rejected = rejected
            return self._keys

    def _read(self, **options: bool) -> Keys:
        """Errors are raised here, after `_fetch`: no chained exception or stack frame then holds the secret's text."""
        found = self._fetch(**options)
        if isinstance(found, RepegError):
            raise found
        ensure_keys_fit(found, self._mode)
        return found

    def _fetch(self, **options: bool) -> Keys | RepegError:
        try:
            return Keys.model_validate(
                self._provider.get(self._arn, max_age=MAX_AGE_SECONDS, transform="json", **options)
            )
        except (TransformParameterError, ValidationError):
            expected = 'its secret must be JSON with "key_id" and "secret_key"'
            return InvalidSettings("BROKER_SECRET_ARN", self._arn, expected)
        except GetParameterError as error:
            return BrokerUnavailable(f"the keys cannot be read: {error}")
