"""Errors as OpenRouter and, for the legacy image route, OpenAI write them."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

USER_ID = "user_simulator"
_FIRST_SERVER_ERROR = 500

_ERROR_TYPES = {
    400: "invalid_request",
    401: "authentication",
    402: "payment_required",
    403: "permission_denied",
    404: "not_found",
    408: "timeout",
    412: "precondition_failed",
    413: "payload_too_large",
    422: "unprocessable",
    429: "rate_limit_exceeded",
    500: "server",
    502: "provider_unavailable",
    503: "provider_overloaded",
    504: "timeout",
    524: "timeout",
    529: "provider_overloaded",
}


class ApiError(Exception):
    """The request is answered with an error; the message is OpenRouter's."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        error_type: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.error_type = error_type or _ERROR_TYPES.get(status, "unmapped")
        self.metadata = dict(metadata or {})
        self.headers = dict(headers or {})
        self.param = param

    def body(self, *, with_type: bool) -> dict[str, Any]:
        """The `error` object. `error_type` is often absent in practice, hence the switch."""
        types = {"error_type": self.error_type} if with_type else {}
        error: dict[str, Any] = {"code": self.status, "message": self.message}
        if metadata := types | self.metadata:
            error["metadata"] = metadata
        return error

    def response(self, *, with_type: bool, status: int | None = None) -> Response:
        return JSONResponse(
            {"error": self.body(with_type=with_type), "user_id": USER_ID},
            status_code=status or self.status,
            headers=self.headers,
        )

    def legacy_response(self) -> Response:
        """OpenAI's shape, whose code is a string or null."""
        code = "unknown_parameter" if self.error_type == "unknown_parameter" else None
        kind = "server_error" if self.status >= _FIRST_SERVER_ERROR else "invalid_request_error"
        error = {"message": self.message, "type": kind, "param": self.param, "code": code}
        return JSONResponse({"error": error}, status_code=self.status, headers=self.headers)


def invalid(message: str, param: str | None = None) -> ApiError:
    return ApiError(400, message, param=param)


def unknown_model(model: str) -> ApiError:
    return ApiError(400, f"{model} is not a valid model ID", param="model")


def no_modalities(modalities: list[str]) -> ApiError:
    """The 404 of a model that can't give what was asked for (DeepTutor#1348)."""
    return ApiError(
        404,
        "No endpoints found that support the requested output modalities: " + ", ".join(modalities),
        metadata={
            "routing_funnel": [{"step": "Initial Endpoints", "endpoint_count": 1}],
            "failed_routing_step": "Filter by Model Output Modalities",
        },
    )
