"""Every answer to a submission, a poll and a download, through real processes: what becomes of
the job, what it may have cost, and how often it was sent."""

import gzip
from collections.abc import Callable

from attrs import frozen

from tests.e2e.processes import Process, submissions, until
from tests.faults.books import books
from tests.faults.hostile import Hostile, drip, hostile, raw, reset, saying, withhold
from tests.faults.houses import House, ends

UNKNOWN = "submission_outcome_unknown"


@frozen
class End:
    code: str | None
    may_cost: bool
    posts: int = 1


DONE = End(None, may_cost=True)
SECOND_TRY = End(None, may_cost=True, posts=2)
AMBIGUOUS = End(UNKNOWN, may_cost=True)
REFUSED = End("provider_refused", may_cost=False)
IN_VAIN = End("no_content", may_cost=True)

#: The table of promises: what the simulator is told to do, and what follows from it.
KNOWN_FAULTS = {
    "sim:refuse": REFUSED,
    "sim:moderation": REFUSED,
    "sim:notfound": REFUSED,
    "sim:toolarge": REFUSED,
    "sim:semantic": REFUSED,
    "sim:times=1 sim:ratelimit=1": SECOND_TRY,
    "sim:times=1 sim:overloaded=1": SECOND_TRY,
    "sim:times=1 sim:http=529": SECOND_TRY,
    "sim:redirect": AMBIGUOUS,
    "sim:http=408": AMBIGUOUS,
    "sim:http=409": AMBIGUOUS,
    "sim:http=500": AMBIGUOUS,
    "sim:http=504": AMBIGUOUS,
    "sim:http=524": AMBIGUOUS,
    "sim:html502": AMBIGUOUS,
    "sim:200-error": AMBIGUOUS,
    "sim:hang": AMBIGUOUS,
    "sim:reset": AMBIGUOUS,
    "sim:reset-early": AMBIGUOUS,
    "sim:garbage": AMBIGUOUS,
    "sim:noid": AMBIGUOUS,
    "sim:poll-error=2": DONE,
    "sim:unknown-status": DONE,
    "sim:nourl": DONE,
    "sim:content-error=1": DONE,
    "sim:content-cut=1": DONE,
    "sim:nocontent": IN_VAIN,
    "sim:gone": DONE,
    "sim:badmedia": End("media_rejected", may_cost=True),
    "sim:fail=No": End("provider_failed", may_cost=True),
    "sim:cancelled": End("provider_cancelled", may_cost=True),
    "sim:expired": End("provider_expired", may_cost=True),
}


def test_every_fault_of_the_provider_ends_as_promised(
    new_house: Callable[..., House], provider: Process
) -> None:
    house = new_house(provider.url, AIGEN_SUBMIT_TIMEOUT="4")
    person = house.root()
    ids = {person.video(f"fault {words}"): words for words in KNOWN_FAULTS}
    ended = ends(person, ids)
    posts = [entry["prompt"] for entry in submissions(provider.url)]
    found_out = {
        ids[job["id"]]: End(job["error_code"], job["may_be_charged"], posts.count(job["prompt"]))
        for job in ended
    }
    assert found_out == KNOWN_FAULTS
    house.stop()
    found = books(house.data)
    found.must_balance()
    found.must_have_their_films(house.media)


#: What no simulator would do.
HOSTILE_ANSWERS = {
    "withheld": withhold,
    "reset": reset,
    "dripping": drip,
    "huge": saying(202, b'{"id": "' + b"x" * 20_000_000 + b'"}'),
    "no-http": raw(b"\x16\x03\x01 this is not HTTP at all\r\n\r\n"),
    "half": raw(b"HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\n\r\n" + b'{"id": "half"'),
    "deep": saying(202, b'{"id":' + b"[" * 100_000),
    "list": saying(202, ["an id"]),
    "number": saying(202, {"id": 17}),
    "path": saying(202, {"id": "../../../etc/passwd"}),
    "newline": saying(202, {"id": "one\r\nX-Two: three"}),
    "long": saying(202, {"id": "x" * 5_000}),
    "surrogate": saying(202, b'{"id": "\\ud800"}'),
    "bomb": saying(202, gzip.compress(b" " * 10_000_000), content_encoding="gzip"),
}


def test_whatever_a_hostile_provider_says_is_sent_once_and_may_be_charged(
    new_house: Callable[..., House],
) -> None:
    with hostile() as provider, hostile() as thief:
        provider.submits |= HOSTILE_ANSWERS
        elsewhere = thief.url + "/api/v1/videos"
        provider.submits["redirect"] = saying(307, b"", location=elsewhere)
        provider.submits["lying"] = saying(202, {"id": "job-lie", "polling_url": elsewhere + "/x"})
        provider.submits["duplicate"] = saying(202, {"id": "job-lie"})
        house = new_house(provider.url, AIGEN_SUBMIT_TIMEOUT="3")
        person = house.root()
        first = person.video("lying")
        assert person.wait(first)["status"] == "completed"
        words = [*HOSTILE_ANSWERS, "redirect", "duplicate"]
        ids = {word: person.video(word) for word in words}
        ended = dict(zip(words, ends(person, ids.values()), strict=True))
        codes = {word: job["error_code"] for word, job in ended.items()}
        assert codes.pop("duplicate") == "provider_duplicate"
        assert codes.pop("path") is None
        assert not any("/../" in seen.target for seen in provider.requests), "it was escaped"
        assert codes == dict.fromkeys(codes, UNKNOWN)
        assert all(job["may_be_charged"] for job in ended.values())
        assert [provider.sent(word) for word in words] == [1] * len(words)
        assert not thief.requests, "nobody else hears of us"
        # It lives, and goes on.
        assert person.wait(person.video("well"))["status"] == "completed"
        assert house.ready()["status"] == "ready"
        house.stop()
        books(house.data).must_balance()


def polls_are(provider: Hostile) -> dict[str, Callable[[], None]]:
    """What a hostile provider may answer to a poll; none of it ends a job."""

    def poll(answer: object) -> Callable[[], None]:
        return lambda: setattr(provider, "polls", answer)

    return {
        "reset": poll(reset),
        "garbage": poll(saying(200, b"<<<")),
        "huge": poll(saying(200, b'{"status": "' + b"x" * 20_000_000 + b'"}')),
        "deep": poll(saying(200, b'{"status":' + b"[" * 100_000)),
        "list": poll(saying(200, ["completed"])),
        "strange": poll(saying(200, {"status": "\x00" * 50})),
        "redirect": poll(saying(302, b"", location="http://127.0.0.1:9/")),
        "no-http": poll(raw(b"\x00" * 64 + b"\r\n\r\n")),
    }


def test_no_nonsense_at_a_poll_ends_a_job(new_house: Callable[..., House]) -> None:
    with hostile() as provider:
        house = new_house(provider.url)
        person = house.root()
        job_id = ""
        for answer in polls_are(provider).values():
            answer()
            before = provider.asked_for("/job-patient")
            job_id = job_id or person.video("patient")

            def has_polled(before: int = before) -> bool:
                return provider.asked_for("/job-patient") > before

            until(has_polled, "a poll")
        provider.polls = None
        assert person.wait(job_id)["status"] == "completed"
        assert provider.sent("patient") == 1
