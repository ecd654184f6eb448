"""Content Credentials (C2PA): with what finished clips are signed; without both, nothing is."""

from core.runtime.paths import Place
from core.settings.area import Area


class CredentialSettings(Area):
    """A certificate of the operator's and its key; every node that encodes needs them."""

    prefix = "CLAPPER_C2PA_"

    certificate: Place | None = None  # PEM: the signer's first, then who signed it
    key: Place | None = None  # PEM, without a password
