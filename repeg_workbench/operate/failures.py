"""What went wrong with a command, in one line that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as aws  # noqa: TID251 - the errors of the account's clients

from repeg.domain.errors import RepegError

_EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired", "ExpiredTokenError"}
)
_UNKNOWN_KEYS = frozenset(
    {
        "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException",
        "AuthFailure", "InvalidAccessKeyId", "IncompleteSignature", "InvalidToken", "NotAuthorized",
    }
)  # fmt: skip
_DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403", "Forbidden"}
)
_BUSY = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException", "ServiceUnavailable"})

_SIGN_IN = "sign in again (`aws sso login`, or new keys in your profile) and repeat the command"
_NO_CREDENTIALS = (
    aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError, aws.ProfileNotFound,
    aws.ConfigNotFound, aws.ConfigParseError,
)  # fmt: skip
_SSO = (aws.SSOError, aws.TokenRetrievalError, aws.UnauthorizedSSOTokenError)
_UNREACHABLE = (aws.HTTPClientError, aws.ConnectionError, aws.EndpointConnectionError)

AWS_ERRORS = (aws.ClientError, aws.BotoCoreError)
"""Everything that a client of an AWS service raises for a request that did not succeed."""


class CannotOperate(Exception):
    """The command could not be carried out; the message is one line that says what to do. Nothing is half done."""


@contextmanager
def explained(region: str) -> Iterator[None]:
    """Turns every expected failure into CannotOperate; a fault of the program stays what it is."""
    try:
        yield
    except CannotOperate:
        raise
    except (*AWS_ERRORS, RepegError) as error:
        raise CannotOperate(reason(error, region)) from None


def reason(error: Exception, region: str = "") -> str:
    """What an error means, and what to do, in one line."""
    cause = _cause(error)
    if isinstance(cause, aws.ClientError):
        return _one_line(_answered(cause, region))
    if isinstance(cause, aws.BotoCoreError):
        return _one_line(_not_sent(cause, region))
    return _one_line(str(error))


def is_passing(error: Exception) -> bool:
    """Whether the same request may succeed in a moment: a busy service, or a network that does not answer."""
    cause = _cause(error)
    return isinstance(cause, _UNREACHABLE) or (isinstance(cause, aws.ClientError) and code_of(cause) in _BUSY)


def code_of(error: BaseException) -> str:
    """The service's code for an error that it answered with; empty for any other."""
    return str(error.response["Error"].get("Code", "")) if isinstance(error, aws.ClientError) else ""


def _cause(error: Exception) -> BaseException:
    """The service's own error, which an adapter may have translated."""
    hidden = error.__cause__ or error.__context__
    is_translated = isinstance(error, RepegError) and isinstance(hidden, (aws.ClientError, aws.BotoCoreError))
    return hidden if is_translated and hidden is not None else error


def _answered(error: aws.ClientError, region: str) -> str:
    code, message = code_of(error), error.response["Error"].get("Message", "")
    if code in _EXPIRED:
        return f"the AWS credentials have expired: {_SIGN_IN}"
    if code in _UNKNOWN_KEYS:
        return f"AWS does not accept these credentials ({code}): check AWS_PROFILE, and {_SIGN_IN}"
    if code in _DENIED or code.startswith("AccessDenied"):
        return (
            f"you may not call {error.operation_name} in {region or 'this region'}: ask for that permission "
            f"(docs/operations.md lists them), or use another AWS_PROFILE. {message}"
        )
    if code in _BUSY:
        return f"AWS is busy ({error.operation_name}: {code}): wait a moment and repeat the command"
    return f"{error.operation_name} failed ({code}): {message}"


def _not_sent(error: aws.BotoCoreError, region: str) -> str:
    if isinstance(error, aws.NoRegionError):
        return "no AWS region: set AWS_DEFAULT_REGION, or a region in your profile, to the one that the stack is in"
    if isinstance(error, _NO_CREDENTIALS):
        return f"no AWS credentials ({error}): set AWS_PROFILE, or {_SIGN_IN}"
    if isinstance(error, _SSO):
        return f"the AWS session has ended ({error}): {_SIGN_IN}"
    if isinstance(error, _UNREACHABLE):
        return f"AWS does not answer in {region or 'this region'} ({error}): check the network and the region's name"
    return f"{type(error).__name__}: {error}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
