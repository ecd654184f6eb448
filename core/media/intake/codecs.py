"""The decoders that strangers' films and sounds may use; all others stay closed.

Names are ffmpeg's. What is left out: game formats, unfinished ones, and what needs a device.
"""

_PHONES = {"h264", "hevc", "vp8", "libvpx", "vp9", "libvpx-vp9", "av1", "libdav1d", "mpeg4"}
_CAMERAS = {"mjpeg", "dvvideo", "h263", "h263p", "mpeg1video", "mpeg2video"}
_STUDIOS = {"prores", "dnxhd", "qtrle", "ffv1", "rawvideo", "utvideo", "png"}
_WINDOWS = {"msmpeg4v1", "msmpeg4v2", "msmpeg4", "wmv1", "wmv2", "wmv3", "vc1"}
_WEB = {"gif", "flv", "vp6", "vp6f", "theora"}
VIDEO_CODECS = frozenset(_PHONES | _CAMERAS | _STUDIOS | _WINDOWS | _WEB)

_SOUND_FILES = {"aac", "mp3", "mp3float", "flac", "alac", "opus", "libopus", "vorbis", "speex"}
_DISCS = {"ac3", "eac3", "dca", "mp1", "mp1float", "mp2", "mp2float", "aac_latm", "truehd", "mlp"}
_VOICES = {"amrnb", "amrwb", "libopencore_amrnb", "libopencore_amrwb", "gsm_ms", "nellymoser"}
_MEDIA_PLAYER = {"wmav1", "wmav2", "wmapro", "wmalossless", "wmavoice"}
_ADPCM = {f"adpcm_{kind}" for kind in ("ms", "ima_wav", "ima_qt", "swf", "yamaha", "g726")}
_PCM = {
    "pcm_u8", "pcm_s8", "pcm_s16le", "pcm_s16be", "pcm_u16le", "pcm_s24le", "pcm_s24be",
    "pcm_s32le", "pcm_s32be", "pcm_s64le", "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be",
    "pcm_mulaw", "pcm_alaw", "pcm_dvd", "pcm_bluray",
}  # fmt: skip
AUDIO_CODECS = frozenset(_SOUND_FILES | _DISCS | _VOICES | _MEDIA_PLAYER | _ADPCM | _PCM)

CODECS = VIDEO_CODECS | AUDIO_CODECS

# the decoders that see a film's transparency, where the usual ones leave it out
WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
