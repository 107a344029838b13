"""What the tests of the license domain share."""

from collections.abc import Callable

import pytest

from app.license.document import Verifier
from app.license.reasons import LicenseError
from tests import license_keys


@pytest.fixture(scope="session")
def verifier() -> Verifier:
    return license_keys.verifier()


@pytest.fixture(scope="session")
def refusal(verifier: Verifier) -> Callable[[str], LicenseError]:
    """Return the error with which a text is refused."""

    def refusal_of(text: str) -> LicenseError:
        with pytest.raises(LicenseError) as caught:
            verifier.verify(text, license_keys.NOW)
        return caught.value

    return refusal_of
