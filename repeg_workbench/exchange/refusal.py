"""The broker's refusals: HTTP status, error code and message of each."""

from typing import Any, Self

from repeg_workbench.exchange.messages import Response, html_response, json_response


class Refusal(Exception):
    """A rejected request, which has changed nothing."""

    def __init__(self, status: int, code: int | None, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details

    def response(self) -> Response:
        """The refusal as JSON, with the code if this part of the API uses codes."""
        code = {} if self.code is None else {"code": self.code}
        return json_response({**code, "message": self.message, **self.details}, self.status)

    @property
    def body(self) -> dict[str, Any]:
        """The body of one refusal in a list of several outcomes."""
        return {"code": self.code, "message": self.message, **self.details}

    @classmethod
    def malformed(cls, message: str = "request body format is invalid") -> Self:
        """The body cannot be parsed."""
        return cls(400, 40010000, message)

    @classmethod
    def parameter(cls, message: str) -> Self:
        """A field is missing, out of range or inconsistent with another."""
        return cls(422, 40010001, message)

    @classmethod
    def unprocessable(cls, message: str, **details: Any) -> Self:
        """Well formed, but against a rule of the market or of the order's state."""
        return cls(422, 42210000, message, **details)

    @classmethod
    def forbidden(cls, message: str, **details: Any) -> Self:
        """Against a rule of the account or a risk limit."""
        return cls(403, 40310000, message, **details)

    @classmethod
    def not_found(cls, message: str) -> Self:
        """No such order, position or asset."""
        return cls(404, 40410000, message)

    @classmethod
    def data(cls, message: str) -> Self:
        """The market data API's refusal of a parameter, which has no code."""
        return cls(400, None, message)

    @classmethod
    def unauthorized(cls) -> Self:
        """The keys are wrong or revoked."""
        return cls(401, None, "unauthorized.")

    @classmethod
    def internal(cls) -> Self:
        """An error of the exchange itself."""
        return cls(500, 50010000, "internal server error occurred")


class MissingCredentials(Refusal):
    """The call has no keys; the real API answers with a proxy's page or with JSON."""

    def __init__(self, answer: str) -> None:
        super().__init__(*((401, None, "") if answer == "html401" else (403, None, "forbidden.")))

    def response(self) -> Response:
        """The HTML page for status 401, JSON otherwise."""
        return html_response(401, "Authorization Required") if self.status == 401 else super().response()
