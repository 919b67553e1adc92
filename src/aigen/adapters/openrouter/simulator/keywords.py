"""The prompt keywords: the one table of faults, and the help text made from it."""

from collections.abc import Callable

from attrs import frozen

EVERYWHERE = ("chat", "images", "videos")
CHAT, IMAGES, VIDEOS = EVERYWHERE


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 86_400:  # noqa: PLR2004  (a day; also refuses nan)
        raise ValueError(text)
    return seconds


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def _status(text: str) -> int:
    status = int(text)
    if not 200 <= status <= 599 or status in {204, 205, 304}:  # noqa: PLR2004  (final, with a body)
        raise ValueError(text)
    return status


def _words(text: str) -> str:
    return text.replace("_", " ")


@frozen(kw_only=True)
class Value:
    """What may stand behind the equals sign."""

    name: str
    read: Callable[[str], float | int | str]
    needed: bool = True


SECONDS = Value(name="SECONDS", read=_seconds)
MAYBE_SECONDS = Value(name="SECONDS", read=_seconds, needed=False)
COUNT = Value(name="N", read=_count)
STATUS = Value(name="STATUS", read=_status)
MAYBE_REASON = Value(name="REASON", read=_words, needed=False)
MAYBE_URL = Value(name="URL", read=str, needed=False)


@frozen(kw_only=True)
class Keyword:
    """One row of the table."""

    name: str
    effect: str
    accepted: bool | None
    """Did the provider take the work (a job exists, money is spent)? None: it depends on others."""
    where: tuple[str, ...] = EVERYWHERE
    value: Value | None = None
    at_submit: bool = True
    """Works on the request itself and not on a video's later polls and downloads."""

    @property
    def usage(self) -> str:
        if self.value is None:
            return f"sim:{self.name}"
        shown = f"={self.value.name}" if self.value.needed else f"[={self.value.name}]"
        return f"sim:{self.name}{shown}"


def _refused(
    name: str, effect: str, value: Value | None = None, where: tuple[str, ...] = EVERYWHERE
) -> Keyword:
    return Keyword(name=name, effect=effect, accepted=False, value=value, where=where)


def _taken(
    name: str, effect: str, value: Value | None = None, where: tuple[str, ...] = EVERYWHERE
) -> Keyword:
    return Keyword(name=name, effect=effect, accepted=True, value=value, where=where)


def _later(name: str, effect: str, value: Value | None = None) -> Keyword:
    return Keyword(
        name=name, effect=effect, accepted=True, value=value, where=(VIDEOS,), at_submit=False
    )


def _modifier(name: str, effect: str, value: Value | None = None) -> Keyword:
    return Keyword(name=name, effect=effect, accepted=None, value=value)


KEYWORDS = (
    _refused("refuse", "400, refused by the content policy"),
    _refused("moderation", "403 with reasons, flagged input and provider in the metadata"),
    _refused("credits", "402, insufficient credits"),
    _refused("badkey", "401, the key is invalid"),
    _refused("notfound", "404, no endpoint for the model"),
    _refused("toolarge", "413, the input is too large"),
    _refused("semantic", "422, understood and impossible"),
    _refused("ratelimit", "429 with X-RateLimit headers; Retry-After if given", MAYBE_SECONDS),
    _refused("overloaded", "503, JSON; Retry-After if given", MAYBE_SECONDS),
    _refused("http", "any status, JSON error body", STATUS),
    _refused("html502", "502 with an HTML page, as from a proxy in between"),
    _refused("raw502", "502 'Provider returned error' with the reason in metadata.raw"),
    _refused("redirect", "307 to the same path (there the word does nothing) or to URL", MAYBE_URL),
    _refused("reset-early", "the connection is reset before anything happened"),
    _refused("200-error", "200 whose body is only an error"),
    _refused("empty", "200 with choices: [] or data: []", where=(CHAT, IMAGES)),
    _taken("hang", "no answer ever"),
    _taken("reset", "the connection is reset instead of an answer"),
    _taken("delay", "the answer comes so much later", SECONDS),
    _taken("garbage", "success status, body isn't JSON"),
    # Of a video it is the polls that tell the usage.
    Keyword(
        name="nocost",
        effect="usage without cost; GET /generation knows it (id of an image: X-Generation-Id)",
        accepted=True,
        at_submit=False,
    ),
    _taken("noimage", "words or data: [] instead of images", where=(CHAT, IMAGES)),
    _taken("truncated", "the image's base64 is cut off and invalid", where=(CHAT, IMAGES)),
    _taken("preview", "a stream shows a rough image before the final one", where=(CHAT, IMAGES)),
    _taken(
        "midstream",
        "an error after some of the stream; unstreamed chat: finish_reason error",
        where=(CHAT, IMAGES),
    ),
    _taken("stream-cut", "the stream ends in the middle, unfinished", where=(CHAT, IMAGES)),
    _taken(
        "slowstream",
        "only comment lines for so long (3 s) before the stream's data",
        MAYBE_SECONDS,
        (CHAT, IMAGES),
    ),
    _taken("drip", "so long between the chunks of a stream", SECONDS, (CHAT, IMAGES)),
    _taken("noid", "202 without an id", where=(VIDEOS,)),
    _later("sleep", "the job takes so long by the clock", SECONDS),
    _later("forever", "the job is never finished"),
    _later("fail", "the job fails; underscores in REASON become spaces", MAYBE_REASON),
    _later("cancelled", "the job ends as cancelled"),
    _later("expired", "the job ends as expired"),
    _later("unknown-status", "polls tell a status that nobody documented, then complete"),
    _later("poll-error", "the first N polls answer 500", COUNT),
    _later("poll-404", "the first N polls answer 404", COUNT),
    _later("nourl", "completed without unsigned_urls and urls"),
    _later("nocontent", "completed, the content is 404"),
    _later("gone", "completed, the content is 410"),
    _later("content-error", "the first N downloads answer 500", COUNT),
    _later("content-cut", "the first N downloads break off in the middle", COUNT),
    _later("badmedia", "the content is an HTML page that claims to be video/mp4"),
    _modifier("charged", "what refuses above takes the work nevertheless and then answers so"),
    _modifier("times", "the words about the request hold for the prompt's first N requests", COUNT),
)

BY_NAME = {keyword.name: keyword for keyword in KEYWORDS}


def _keywords_help() -> str:
    """The table as text."""
    takes = {True: "yes", False: "no", None: "-"}
    rows = [
        (
            keyword.usage,
            takes[keyword.accepted],
            "all" if keyword.where == EVERYWHERE else "+".join(keyword.where),
            keyword.effect,
        )
        for keyword in KEYWORDS
    ]
    rows.insert(0, ("WORD", "TAKEN", "WHERE", "EFFECT"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        f"  {word:<{widths[0]}}  {taken:<{widths[1]}}  {where:<{widths[2]}}  {effect}"
        for word, taken, where, effect in rows
    ]
    return "\n".join([*_INTRODUCTION, "", *lines])


_INTRODUCTION = (
    "Words in a prompt make the simulator misbehave: sim:NAME or sim:NAME=VALUE, anywhere, several",
    "at once (of those that refuse, the table's first wins). In a chat those of the newest user",
    "message count. Unknown words are answered with 400. TAKEN tells whether the provider took the",
    "work: a job exists and costs money.",
)

KEYWORDS_HELP = _keywords_help()
