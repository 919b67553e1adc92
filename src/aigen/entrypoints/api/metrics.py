"""What the API counts, in a registry of its own."""

from collections.abc import Mapping

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from aigen.domain.model.videos import VideoStatus


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "aigen_requests",
            "Answered requests",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "aigen_request_seconds",
            "Time until a request was answered",
            ["route"],
            registry=self.registry,
        )
        self._jobs = Gauge(
            "aigen_video_jobs", "Video jobs by status", ["status"], registry=self.registry
        )
        self._unknown = Gauge(
            "aigen_video_unknown",
            "Video jobs of unknown outcome, which wait for an administrator",
            registry=self.registry,
        )
        self._workers = Gauge("aigen_workers", "Workers with a lease", registry=self.registry)

    media_type = CONTENT_TYPE_LATEST

    def text(self) -> bytes:
        """All of them, as Prometheus reads it."""
        return generate_latest(self.registry)

    def note_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """`route` is the pattern, not the address: addresses are without number."""
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def note_jobs(self, counts: Mapping[VideoStatus, int], *, unknown: int, workers: int) -> None:
        """`unknown` are among those that `counts` calls failed."""
        for status, count in counts.items():
            self._jobs.labels(status.value).set(count)
        self._unknown.set(unknown)
        self._workers.set(workers)
