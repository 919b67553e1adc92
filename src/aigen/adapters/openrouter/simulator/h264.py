"""H.264 without an encoder: raw macroblocks (I_PCM) where the picture changed, skips elsewhere.

The first frame is sent raw; later ones repeat it and send raw only the macroblocks that differ.
Constrained Baseline, CAVLC, deblocking off, so that every decoder shows exactly these samples.
Names and order of the syntax elements are those of ITU-T H.264, sections 7.3 and 9.1.
"""

import re
from collections.abc import Iterable, Mapping

MACROBLOCK = 16
_PROFILE = b"\x42\xc0\x1e"  # profile_idc 66, constraint_set0 and 1, level 3.0
_IDR, _NON_IDR, _SPS, _PPS = 0x65, 0x61, 0x67, 0x68
_FRAME_NUM_BITS = 8
_I_PCM = 25
_I_PCM_IN_P = 30


class Bits:
    """A bit string under construction."""

    def __init__(self) -> None:
        self._digits: list[str] = []

    def u(self, width: int, value: int) -> None:
        self._digits.append(format(value, f"0{width}b"))

    def ue(self, value: int) -> None:
        """Exp-Golomb, unsigned."""
        digits = format(value + 1, "b")
        self._digits.append("0" * (len(digits) - 1) + digits)

    def se(self, value: int) -> None:
        """Exp-Golomb, signed."""
        self.ue(2 * value - 1 if value > 0 else -2 * value)

    def aligned(self) -> bytes:
        """The bits so far with zeros to the next byte; empties the string."""
        digits = "".join(self._digits)
        self._digits = []
        digits += "0" * (-len(digits) % 8)
        return int(digits, 2).to_bytes(len(digits) // 8, "big") if digits else b""

    def trailed(self) -> bytes:
        """The bits so far with the stop bit."""
        self._digits.append("1")
        return self.aligned()


def sequence_parameters(width: int, height: int) -> bytes:
    """The SPS: a progressive picture of that size, cropped from whole macroblocks."""
    columns, rows = -(-width // MACROBLOCK), -(-height // MACROBLOCK)
    bits = Bits()
    bits.ue(0)  # seq_parameter_set_id
    bits.ue(_FRAME_NUM_BITS - 4)  # log2_max_frame_num_minus4
    bits.ue(2)  # pic_order_cnt_type: output order is decoding order
    bits.ue(1)  # max_num_ref_frames
    bits.u(1, 0)  # gaps_in_frame_num_value_allowed_flag
    bits.ue(columns - 1)
    bits.ue(rows - 1)
    bits.u(1, 1)  # frame_mbs_only_flag
    bits.u(1, 1)  # direct_8x8_inference_flag
    right, bottom = columns * MACROBLOCK - width, rows * MACROBLOCK - height
    bits.u(1, 1 if right or bottom else 0)  # frame_cropping_flag
    if right or bottom:
        for edge in (0, right // 2, 0, bottom // 2):  # in chroma samples, so sides are even
            bits.ue(edge)
    bits.u(1, 0)  # vui_parameters_present_flag
    return _unit(_SPS, _PROFILE + bits.trailed())


def picture_parameters() -> bytes:
    """The PPS: CAVLC, one slice group, one reference, deblocking controlled by each slice."""
    bits = Bits()
    bits.ue(0)  # pic_parameter_set_id
    bits.ue(0)  # seq_parameter_set_id
    bits.u(2, 0)  # entropy_coding_mode_flag, bottom_field_pic_order_in_frame_present_flag
    bits.ue(0)  # num_slice_groups_minus1
    bits.ue(0)  # num_ref_idx_l0_default_active_minus1
    bits.ue(0)  # num_ref_idx_l1_default_active_minus1
    bits.u(3, 0)  # weighted_pred_flag, weighted_bipred_idc
    for _ in ("pic_init_qp_minus26", "pic_init_qs_minus26", "chroma_qp_index_offset"):
        bits.se(0)
    bits.u(1, 1)  # deblocking_filter_control_present_flag
    bits.u(2, 0)  # constrained_intra_pred_flag, redundant_pic_cnt_present_flag
    return _unit(_PPS, bits.trailed())


def whole_frame(macroblocks: Iterable[bytes]) -> bytes:
    """An IDR picture, every macroblock raw."""
    bits = Bits()
    bits.ue(0)  # first_mb_in_slice
    bits.ue(7)  # slice_type: I, in all slices
    bits.ue(0)  # pic_parameter_set_id
    bits.u(_FRAME_NUM_BITS, 0)
    bits.ue(0)  # idr_pic_id
    bits.u(2, 0)  # no_output_of_prior_pics_flag, long_term_reference_flag
    _end_header(bits)
    parts = []
    for samples in macroblocks:
        bits.ue(_I_PCM)
        parts += [bits.aligned(), samples]
    return _unit(_IDR, b"".join(parts) + bits.trailed())


def changed_frame(number: int, changed: Mapping[int, bytes], total: int) -> bytes:
    """A P picture: the previous one with the given macroblocks (by address) replaced."""
    bits = Bits()
    bits.ue(0)  # first_mb_in_slice
    bits.ue(5)  # slice_type: P, in all slices
    bits.ue(0)  # pic_parameter_set_id
    bits.u(_FRAME_NUM_BITS, number % (1 << _FRAME_NUM_BITS))
    bits.u(3, 0)  # num_ref_idx_active_override, ref_pic_list_modification, adaptive_ref_pic_marking
    _end_header(bits)
    parts = []
    following = 0
    for address in sorted(changed):
        bits.ue(address - following)  # mb_skip_run; all vectors are zero, so a skip is a copy
        bits.ue(_I_PCM_IN_P)
        parts += [bits.aligned(), changed[address]]
        following = address + 1
    if following < total:
        bits.ue(total - following)
    return _unit(_NON_IDR, b"".join(parts) + bits.trailed())


def _end_header(bits: Bits) -> None:
    bits.se(0)  # slice_qp_delta
    bits.ue(1)  # disable_deblocking_filter_idc


def _unit(header: int, payload: bytes) -> bytes:
    """A NAL unit; 03 keeps start codes out of the payload."""
    return bytes((header,)) + re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", payload)
