"""Every reason why a license key is refused or a license restricts, each with one message and one remedy.

Codes are those of design section 3 ("Same reason, same code, everywhere"). Messages are plain; screens add
the numbers and dates that they have at hand. A placeholder in a text is always filled by the ``params`` of
the error that is raised.

Pure: neither Flask nor SQLAlchemy is imported.
"""

from collections.abc import Mapping
from types import MappingProxyType

from app.refusal import Reason, ReasonParam, Refusal
from app.translation import N_

_KEY_REASONS = (
    Reason(
        "empty",
        N_("No license key has been entered."),
        N_("Paste the license key that your vendor has sent you."),
    ),
    Reason(
        "too_long",
        N_("This text is too long to be a license key."),
        N_("Paste the license key alone, without the message it came in."),
    ),
    Reason(
        "malformed",
        N_("This text is not a complete license key."),
        N_("Copy the key again from its first to its last character: three parts with dots between them."),
    ),
    Reason(
        "unsupported_algorithm",
        N_("The license key is not signed in the way that this product accepts."),
        N_("Ask your vendor for a license key that is signed with RS256."),
    ),
    Reason(
        "unknown_signing_key",
        N_("The license key was signed with “%(kid)s”, a signing key that this installation does not know."),
        N_(
            "If your vendor has sent you a new public key, put it into the folder of public keys and restart "
            "fully; otherwise ask your vendor which license key is meant for this product."
        ),
    ),
    Reason(
        "signature_invalid",
        N_("The signature does not match: a character of the license key is missing or has changed."),
        N_("Copy the key again from the original message, or ask your vendor to send it once more."),
    ),
    Reason(
        "evaluation_key_refused",
        N_("This is an evaluation key, and this installation does not accept evaluation keys."),
        N_("Register the license key that your vendor has issued for you."),
    ),
    Reason(
        "wrong_issuer",
        N_("The license key was issued by somebody other than the vendor of this product."),
        N_("Ask the vendor of this product for a license key."),
    ),
    Reason(
        "wrong_product",
        N_("The license key is for another product."),
        N_("Look for the license key of TimeTracker RX, or ask your vendor for it."),
    ),
    Reason(
        "claim_missing",
        N_("The license key lacks the claim “%(claim)s”."),
        N_("Ask your vendor for a corrected license key."),
    ),
    Reason(
        "claim_invalid",
        N_("The claim “%(claim)s” of the license key holds a value that is not permitted."),
        N_("Ask your vendor for a corrected license key."),
    ),
    Reason(
        "issued_in_future",
        N_("The license key was issued in the future, by the clock of this server."),
        N_("Check the date, the time and the time zone of this server, then try again."),
    ),
    Reason(
        "already_registered",
        N_("This license key is registered already."),
        N_("Nothing needs to be done: the list of registered licenses shows its state."),
    ),
    Reason(
        "number_reused",
        N_("Another license key with the same license number is registered already."),
        N_("Ask your vendor for a license key with a license number of its own."),
    ),
    Reason(
        "older_than_registered",
        N_("A later license is registered already, so this one would never come into force."),
        N_("Keep the license that is registered, or ask your vendor for a newer license key."),
    ),
)

_STANDING_REASONS = (
    Reason(
        "seats_exceeded",
        N_("The number of licenses has been exceeded."),
        N_("Delete users, or register a license key for more users."),
        N_("More users are registered than the license allows, so only administrators can log in."),
        403,
    ),
    Reason(
        "license_expired",
        N_("The license has expired."),
        N_("Register the license key that your vendor sends you for the renewal."),
        N_("The license has ended, so only administrators can log in until it is renewed."),
        403,
    ),
    Reason(
        "not_started",
        N_("The license has not started yet."),
        N_("Wait until it starts, or register a license key that holds today."),
        N_("The license begins on a later day, so only administrators can log in until then."),
        403,
    ),
    Reason(
        "unlicensed",
        N_("No license is registered."),
        N_("Register the license key that your vendor has sent you."),
        N_("The product has not been licensed yet, so only administrators can log in."),
        403,
    ),
    Reason(
        "wrong_installation",
        N_("The license was made for another installation."),
        N_("Ask your vendor for a license key for this installation: the License screen shows its id."),
        N_("The license belongs to another installation, so only administrators can log in."),
        403,
    ),
    Reason(
        "unverifiable",
        N_("The registered license can no longer be verified."),
        N_("Restore the public keys of your vendor and restart fully, or register the license key again."),
        N_("The license cannot be checked at the moment, so only administrators can log in."),
        403,
    ),
    Reason(
        "maintenance_expired",
        N_("The maintenance period has expired."),
        N_("Register a license key with a later Maintenance Expiration Date."),
        N_("The desktop application cannot be used any more; the web application works as before."),
        403,
    ),
)

_WARNINGS = (
    Reason(
        "edition_unknown",
        N_("The licensed edition is not installed."),
        N_("Install or repair the plug-in of this edition, then restart fully."),
        N_("Its features are missing until then; everything else works."),
    ),
)

_ISSUING_REASONS = (
    Reason(
        "private_key_unusable",
        N_("The private key cannot be used."),
        N_("Name a PEM file with an RSA private key of 2048 to 16384 bits, and its passphrase if it has one."),
    ),
    Reason(
        "kid_invalid",
        N_("The name of the signing key is not permitted."),
        N_("Use up to 64 letters, digits, dots, hyphens and underscores, a letter or a digit first."),
    ),
)

REASONS: Mapping[str, Reason] = MappingProxyType(
    {reason.code: reason for reason in (*_KEY_REASONS, *_STANDING_REASONS, *_WARNINGS, *_ISSUING_REASONS)}
)
"""Every code of the license domain with its reason."""


class LicenseError(Refusal):
    """A license key is refused: the one error that leaves the verifier, whatever the input.

    ``claim`` names the claim at fault and also fills the placeholder of that name.
    Raises KeyError for a code that is not in ``REASONS``.
    """

    def __init__(self, code: str, *, claim: str | None = None, **params: ReasonParam) -> None:
        super().__init__(REASONS[code], field="license_key", claim=claim)
        self.params.update(params)
        if claim is not None:
            self.params["claim"] = claim
