"""What a distant worker reports, as JSON and back."""

import json
from decimal import Decimal

import pytest

from aigen.adapters.http.wire import dumps, loads
from aigen.domain.model.media import MediaType, StoredMedia
from aigen.domain.model.videos import VideoError
from aigen.ports.jobs import Film, NoFilm

MEDIA = StoredMedia(key="ann/1/video-1.mp4", media_type=MediaType.MP4, size=7, sha256="00")
FILM = Film(media=MEDIA, cost_usd=None, generation_ids=("gen-1", "gen-2"))
NO_FILM = NoFilm(code=VideoError.NO_CONTENT, reason="none", generation_ids=("gen-1",))


@pytest.mark.parametrize("result", [FILM, NO_FILM, Film(media=MEDIA, cost_usd=Decimal("0.1"))])
def test_an_end_arrives_as_it_was_sent(result: Film | NoFilm) -> None:
    assert loads(dumps(result, Film | NoFilm), Film | NoFilm) == result


def test_a_worker_of_an_older_version_names_no_generations() -> None:
    old = json.loads(dumps(FILM, Film | NoFilm))
    del old["generation_ids"]
    assert loads(json.dumps(old), Film | NoFilm) == Film(media=MEDIA, cost_usd=None)
