"""Reasons that only the screens and commands about users have."""

from app.refusal import Reason
from app.translation import N_

CONFIRMATION_NEEDED = Reason(
    "confirmation_needed",
    N_("More users would be registered than the license allows, so this is not done without a yes."),
    N_("Read who will be locked out; then repeat the command with --yes."),
    status=409,
)
NOBODY_CHOSEN = Reason(
    "nobody_chosen",
    N_("Nobody is chosen, or whoever was chosen has been deleted or restored meanwhile."),
    N_("Go back to the list and tick the users."),
)
SEATS_TOO_FEW = Reason(
    "seats_too_few",
    N_("This adds %(needed)s users, and the license has %(free)s seats free."),
    N_("Register a license key for more users, or delete users."),
    status=409,
)
