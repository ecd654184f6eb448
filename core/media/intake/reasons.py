"""Choose the error for a reason, with a remedy that is in the reach of who sent the file.

Standard library only: the sandbox imports this before it may decode anything.
"""

from core.domain.media import MediaKind
from core.errors import MediaCodecRefused, MediaKindRefused, MediaNeedsMemory, MediaNeedsTime

# ffmpeg's names of codecs, in the words of the programs that write them
_CODEC_NAMES = {
    "aac_latm": "AAC (LATM)",
    "ac3": "Dolby Digital (AC-3)",
    "amr_nb": "AMR",
    "amr_wb": "AMR-WB",
    "amrnb": "AMR",
    "amrwb": "AMR-WB",
    "ansi": "unknown_codec",
    "apac": "Apple Positional Audio (APAC)",
    "ape": "Monkey’s Audio",
    "apv": "APV",
    "av1": "AV1",
    "bin_data": "unknown_codec",
    "cavs": "AVS",
    "cfhd": "CineForm",
    "cinepak": "Cinepak",
    "dca": "DTS",
    "dirac": "Dirac",
    "dnxhd": "Avid DNxHD",
    "dolby_vision_5": "Dolby Vision (profile 5)",
    "dsd_lsbf": "DSD",
    "dsd_msbf": "DSD",
    "dts": "DTS",
    "dvaudio": "DV",
    "dvvideo": "DV",
    "eac3": "Dolby Digital Plus (E-AC-3)",
    "ffv1": "FFV1",
    "flv": "Sorenson Spark (FLV)",
    "flv1": "Sorenson Spark (FLV)",
    "gsm": "GSM",
    "gsm_ms": "GSM",
    "h263": "H.263",
    "h264": "H.264",
    "hap": "HAP",
    "hevc": "HEVC (H.265)",
    "huffyuv": "HuffYUV",
    "iac": "IAMF",
    "jpeg2000": "JPEG 2000",
    "mjpeg": "Motion JPEG",
    "mp1": "MPEG Layer I",
    "mp2": "MPEG Layer II",
    "mpeg1video": "MPEG-1",
    "mpeg2video": "MPEG-2",
    "mpeg4": "MPEG-4 (DivX, Xvid)",
    "msmpeg4v2": "Microsoft MPEG-4",
    "msmpeg4v3": "Microsoft MPEG-4",
    "opus": "Opus",
    "prores": "Apple ProRes",
    "prores_raw": "Apple ProRes RAW",
    "qtrle": "QuickTime Animation",
    "rawvideo": "uncompressed_video",
    "rv30": "RealVideo",
    "rv40": "RealVideo",
    "speex": "Speex",
    "svq3": "Sorenson Video",
    "theora": "Theora",
    "truehd": "Dolby TrueHD",
    "tta": "True Audio",
    "utvideo": "Ut Video",
    "v210": "uncompressed_video",
    "vc1": "VC-1 (Windows Media)",
    "vp6": "VP6 (Flash)",
    "vp6f": "VP6 (Flash)",
    "vp8": "VP8",
    "vp9": "VP9",
    "vvc": "VVC (H.266)",
    "wavpack": "WavPack",
    "wmalossless": "Windows Media Audio",
    "wmapro": "Windows Media Audio",
    "wmav1": "Windows Media Audio",
    "wmav2": "Windows Media Audio",
    "wmavoice": "Windows Media Audio",
    "wmv1": "Windows Media Video",
    "wmv2": "Windows Media Video",
    "wmv3": "Windows Media Video",
    "none": "unknown_codec",
    "unknown_format": "unknown_codec",
}
_SMALLER = {
    MediaKind.IMAGE: "fix_smaller_picture",
    MediaKind.AUDIO: "fix_sound",
    MediaKind.VIDEO: "fix_1080p",
}
_KIND_FIX = {
    MediaKind.IMAGE: "fix_send_picture",
    MediaKind.AUDIO: "fix_send_sound",
    MediaKind.VIDEO: "fix_send_film",
}


def codec_name(codec: str) -> str:
    """Return the name that people know ``codec`` (ffmpeg's name of it) by."""
    if codec in _CODEC_NAMES:
        return _CODEC_NAMES[codec]
    if codec.startswith("adpcm"):
        return "ADPCM"
    if codec.startswith("pcm_f"):
        return "pcm_float"
    if codec.startswith("pcm_"):
        return "pcm_other"
    return codec.replace("_", " ").upper() or "unknown_codec"


def codec_refused(role: str, kind: MediaKind, codec: str) -> MediaCodecRefused:
    """Make the refusal of a track in ``codec``; ``kind`` is the track's."""
    pcm = codec.startswith(("pcm", "adpcm"))
    fix = "fix_wav16" if pcm else "fix_h264" if kind is MediaKind.VIDEO else "fix_sound"
    return MediaCodecRefused(role, codec_name(codec), fix)


def kind_refused(role: str, kind: MediaKind, found: str, accepted: str) -> MediaKindRefused:
    """Make the refusal of a good file that is no ``kind``."""
    return MediaKindRefused(role, found, accepted, _KIND_FIX[kind])


def needs_memory(role: str, kind: MediaKind) -> MediaNeedsMemory:
    """Make the refusal of a file of ``kind`` whose decoding needs more memory than is allowed."""
    return MediaNeedsMemory(role, _SMALLER[kind])


def needs_time(role: str, kind: MediaKind) -> MediaNeedsTime:
    """Make the refusal of a file of ``kind`` whose decoding takes longer than is allowed."""
    return MediaNeedsTime(role, _SMALLER[kind])
