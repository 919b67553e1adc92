"""The MP4 container (ISO/IEC 14496-12 and -15) around one H.264 track, index first."""

import struct

from attrs import frozen

_MATRIX = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_MOVIE_TIMESCALE = 1000
_TICKS_PER_FRAME = 1000
_LANGUAGE_UNDETERMINED = 0x55C4


@frozen(kw_only=True)
class Track:
    """Equally long samples, each one NAL unit; the first is a key frame."""

    width: int
    height: int
    seconds: int
    sequence_parameters: bytes
    picture_parameters: bytes
    samples: tuple[bytes, ...]

    @property
    def ticks(self) -> int:
        return len(self.samples) * _TICKS_PER_FRAME

    @property
    def timescale(self) -> tuple[int, int]:
        """Ticks a second and ticks a frame, so that the frames fill the seconds exactly."""
        return self.ticks, _TICKS_PER_FRAME * self.seconds


def mp4(track: Track) -> bytes:
    file_type = box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")
    length = len(_movie(track, media_at=0)) + len(file_type)
    media = b"".join(_length_prefixed(sample) for sample in track.samples)
    return file_type + _movie(track, media_at=length + 8) + box(b"mdat", media)


def box(kind: bytes, *contents: bytes) -> bytes:
    body = b"".join(contents)
    return struct.pack(">I", len(body) + 8) + kind + body


def full_box(kind: bytes, flags: int, *contents: bytes) -> bytes:
    """A box with version 0 and flags."""
    return box(kind, struct.pack(">I", flags), *contents)


def _length_prefixed(unit: bytes) -> bytes:
    return struct.pack(">I", len(unit)) + unit


def _movie(track: Track, media_at: int) -> bytes:
    header = full_box(
        b"mvhd",
        0,
        struct.pack(">4I", 0, 0, _MOVIE_TIMESCALE, track.seconds * _MOVIE_TIMESCALE),
        struct.pack(">IH10x", 0x10000, 0x100),  # rate 1.0, volume 1.0
        _MATRIX,
        struct.pack(">24xI", 2),  # next_track_ID
    )
    return box(b"moov", header, _track(track, media_at))


def _track(track: Track, media_at: int) -> bytes:
    enabled_in_movie = 3
    header = full_box(
        b"tkhd",
        enabled_in_movie,
        struct.pack(">5I", 0, 0, 1, 0, track.seconds * _MOVIE_TIMESCALE),
        bytes(16),  # reserved, layer, alternate group, volume
        _MATRIX,
        struct.pack(">2I", track.width << 16, track.height << 16),
    )
    return box(b"trak", header, _media(track, media_at))


def _media(track: Track, media_at: int) -> bytes:
    ticks_a_second, ticks_a_frame = track.timescale
    duration = ticks_a_frame * len(track.samples)
    header = full_box(
        b"mdhd",
        0,
        struct.pack(">4IHH", 0, 0, ticks_a_second, duration, _LANGUAGE_UNDETERMINED, 0),
    )
    handler = full_box(b"hdlr", 0, struct.pack(">4x4s12x", b"vide"), b"simulator\0")
    here = full_box(b"url ", 1)  # flag 1: the media is in this file
    information = box(
        b"minf",
        full_box(b"vmhd", 1, bytes(8)),
        box(b"dinf", full_box(b"dref", 0, struct.pack(">I", 1), here)),
        _samples(track, media_at),
    )
    return box(b"mdia", header, handler, information)


def _samples(track: Track, media_at: int) -> bytes:
    count = len(track.samples)
    sizes = [len(sample) + 4 for sample in track.samples]
    return box(
        b"stbl",
        full_box(b"stsd", 0, struct.pack(">I", 1), _description(track)),
        full_box(b"stts", 0, struct.pack(">3I", 1, count, track.timescale[1])),
        full_box(b"stss", 0, struct.pack(">2I", 1, 1)),
        full_box(b"stsc", 0, struct.pack(">4I", 1, 1, count, 1)),
        full_box(b"stsz", 0, struct.pack(f">2I{count}I", 0, count, *sizes)),
        full_box(b"stco", 0, struct.pack(">2I", 1, media_at)),
    )


def _description(track: Track) -> bytes:
    """The avc1 entry with its avcC: how to set up the decoder."""
    profile = track.sequence_parameters[1:4]
    configuration = box(
        b"avcC",
        b"\x01" + profile + b"\xff",  # version 1; sample lengths have four bytes
        b"\xe1" + struct.pack(">H", len(track.sequence_parameters)) + track.sequence_parameters,
        b"\x01" + struct.pack(">H", len(track.picture_parameters)) + track.picture_parameters,
    )
    return box(
        b"avc1",
        struct.pack(">6xH16x", 1),
        struct.pack(">2H", track.width, track.height),
        struct.pack(">3IH", 0x480000, 0x480000, 0, 1),  # 72 dpi, one frame a sample
        bytes(32),  # compressor name
        struct.pack(">Hh", 24, -1),
        configuration,
    )
