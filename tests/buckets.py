"""S3 in this process: moto, and what moto lets pass although S3 does not."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx
from botocore.auth import S3SigV4QueryAuth  # type: ignore[import-untyped]
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
from botocore.credentials import Credentials  # type: ignore[import-untyped]
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

KEY, SECRET, REGION = "AKIAFOXFOXFOXFOXFOXF", "a-secret-of-the-fox", "eu-central-1"

_NUMBERS = count(1)  # moto has the same buckets behind all its servers


class S3Server:
    """Knows one key and checks presigned links: signature, by botocore, and expiry.

    `refused` is asked about each request; the code that it returns is the answer's. `passes` is
    how far the clock that links expire by is ahead.
    """

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._port = 0
        self.start()
        self.forget()

    def forget(self) -> None:
        """Everything is as it should be again."""
        self.refused: Any = lambda method, query: None
        self.passes = timedelta(0)

    def start(self) -> None:
        """Serve; what was stored is there again."""
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", self._port, self._strict, threaded=True, request_handler=_Silent
        )
        self._port = self._server.port
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def variables(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
        }

    def new_bucket(self) -> str:
        name = f"films-{next(_NUMBERS)}"
        region = f"<LocationConstraint>{REGION}</LocationConstraint>"
        body = f"<CreateBucketConfiguration>{region}</CreateBucketConfiguration>"
        httpx.put(f"{self.url}/{name}", content=body, trust_env=False).raise_for_status()
        return name

    def keys(self, bucket: str) -> list[str]:
        """All of them, of which S3 gives a thousand at a time."""
        keys = [""]
        path = f"/{bucket}?list-type=2&start-after="
        while page := self._found(path + quote(keys[-1]), "Key"):
            keys += page
        return keys[1:]

    def read(self, bucket: str, key: str) -> bytes:
        # moto wants to be told by whom, and believes it.
        scope = f"Credential={KEY}/20260101/{REGION}/s3/aws4_request"
        headers = {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=x"}
        answer = httpx.get(f"{self.url}/{bucket}/{key}", headers=headers, trust_env=False)
        return answer.raise_for_status().content

    def open_uploads(self, bucket: str) -> list[str]:
        return self._found(f"/{bucket}?uploads", "UploadId")

    def _found(self, path: str, element: str) -> list[str]:
        answer = httpx.get(self.url + path, trust_env=False).raise_for_status()
        return re.findall(f"<{element}>(.*?)</{element}>", answer.text)

    # --- what moto does not check -----------------------------------------------------------

    def _strict(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        query = dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True))
        code = self.refused(environ["REQUEST_METHOD"], query) or self._objection(environ, query)
        if code is None:
            answer: Iterable[bytes] = self._moto(environ, start)
            return answer
        start("403 Forbidden", [("Content-Type", "application/xml")])
        return [f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()]

    def _objection(self, environ: WSGIEnvironment, query: dict[str, str]) -> str | None:
        signed = environ.get("HTTP_AUTHORIZATION") or query.get("X-Amz-Credential")
        if signed is not None and KEY not in signed:
            return "InvalidAccessKeyId"
        if "X-Amz-Signature" not in query:
            return None
        if query["X-Amz-Signature"] != self._signature(environ, query):
            return "SignatureDoesNotMatch"
        begun = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        ends = begun + timedelta(seconds=int(query["X-Amz-Expires"]))
        return "AccessDenied" if datetime.now(UTC) + self.passes >= ends else None

    def _signature(self, environ: WSGIEnvironment, query: dict[str, str]) -> str:
        unsigned = {name: value for name, value in query.items() if name != "X-Amz-Signature"}
        request = AWSRequest(
            environ["REQUEST_METHOD"], f"{self.url}{environ['RAW_URI'].partition('?')[0]}"
        )
        request.url += "?" + urlencode(unsigned)
        request.context["timestamp"] = query["X-Amz-Date"]
        signer = S3SigV4QueryAuth(Credentials(KEY, SECRET), "s3", REGION)
        canonical = signer.canonical_request(request)
        return str(signer.signature(signer.string_to_sign(request, canonical), request))


class _Silent(MotoRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Who wants to know looks at the bucket."""
