"""Forms of the License screen."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, SubmitField, TextAreaField

from app.forms import Form


class LicenseKeyForm(Form):
    """The field that the key is pasted into. What is wrong with it, the verifier says, not this form."""

    license_key = TextAreaField(_l("License Key"))
    check = SubmitField(_l("Only check it"))


class ConfirmationForm(Form):
    """What the preview sends back: the sealed key, the digest of what was shown, and the tick."""

    sealed_key = HiddenField()
    seen = HiddenField()
    confirm = BooleanField()
