"""Every reason for which signing in, setting up or changing an account is refused."""

from app.refusal import Reason
from app.translation import N_

WRONG_CREDENTIALS = Reason(
    "wrong_credentials",
    N_("The login name or the password is not right."),
    N_("Type both again. A system administrator can set a new password for you."),
)
TOO_MANY_ATTEMPTS = Reason(
    "too_many_attempts",
    N_("There were too many failed attempts."),
    N_("Try again in %(minutes)s min."),
    status=429,
)
WRONG_SETUP_CODE = Reason(
    "wrong_setup_code",
    N_("This is not the set-up code of this installation."),
    N_("Copy it from where the application was started, or run: flask setup-code"),
)
SETUP_FINISHED = Reason(
    "setup_finished",
    N_("Somebody else has just set this installation up."),
    N_("Log in, or ask that person for a user."),
    status=409,
)
ALREADY_SET_UP = Reason(
    "already_set_up",
    N_("This installation is set up already."),
    N_("Log in; a system administrator can add users."),
    status=409,
)
SETUP_PENDING = Reason(
    "setup_pending",
    N_("This installation is not set up yet: it has no system administrator."),
    N_("Open its address in the browser; the first page asks for the set-up code and makes one. Then try again."),
    status=409,
)
WRONG_CURRENT_PASSWORD = Reason(
    "wrong_current_password",
    N_("The current password is not right."),
    N_("Type it again. A system administrator can set a new password for you."),
)
PASSWORD_TOO_SHORT = Reason(
    "password_too_short",
    N_("A password has at least %(minimum)s characters."),
    N_("Use a longer one, such as four words that nobody would guess."),
)
PASSWORD_TOO_LONG = Reason(
    "password_too_long",
    N_("A password has at most %(maximum)s characters."),
    N_("Use a shorter one."),
)
PASSWORD_TOO_WEAK = Reason(
    "password_too_weak",
    N_("This password is easy to guess."),
    N_("Use a longer one, such as four words that nobody would guess."),
)
PASSWORD_UNCHANGED = Reason(
    "password_unchanged",
    N_("This is the password that you have already."),
    N_("Type another one. Nothing was changed."),
)
TOKEN_MISSING = Reason(
    "token_missing",
    N_("This address answers to programs that bring a token."),
    N_("Send it in the header “Authorization: Bearer …”. Personal tokens are made on the page Account."),
    status=401,
)
TOKEN_INVALID = Reason(
    "token_invalid",
    N_("This token does not hold, or does not hold here."),
    N_("It may have expired, or have been ended, as a change of the password does. Make another one."),
    status=401,
)
SCOPE_MISSING = Reason(
    "scope_missing",
    N_("This token may not be used for that: it lacks the scope %(scope)s."),
    N_("Make a token with this scope on the page Account."),
    status=403,
)
TOKEN_WITHOUT_SCOPE = Reason(
    "token_without_scope",
    N_("Nothing is chosen that the token may be used for."),
    N_("Choose at least one of the list."),
)
TOKEN_LIFETIME_INVALID = Reason(
    "token_lifetime_invalid",
    N_("A token cannot be made for so long."),
    N_("Choose one of the list."),
)
TOO_MANY_TOKENS = Reason(
    "too_many_tokens",
    N_("You have %(limit)s tokens, and that is the most."),
    N_("End one that you no longer use."),
    status=409,
)
TOKEN_NAME_INVALID = Reason(
    "token_name_invalid",
    N_("A name has 1 to 100 characters, and no control characters."),
    N_("Say what it is for, such as the name of the program or of the computer."),
)
LOGIN_INVALID = Reason(
    "login_invalid",
    N_("A login name has 1 to 64 characters, and no spaces or control characters."),
    N_("Use letters, digits, dots, dashes or an e-mail address."),
)
LOGIN_TAKEN = Reason(
    "login_taken",
    N_("The login name %(login)s is taken."),
    N_("Choose another one."),
    status=409,
)
LOGIN_DELETED = Reason(
    "login_deleted",
    N_("The login name %(login)s belongs to a deleted user."),
    N_("Restore that user, or choose another login name."),
    status=409,
)
NAME_INVALID = Reason(
    "name_invalid",
    N_("A name has 1 to 200 characters, and no control characters."),
    N_("Type the name as people write it."),
)
EMAIL_INVALID = Reason(
    "email_invalid",
    N_("This is not an e-mail address."),
    N_("Type it as name@example.org, or leave it empty."),
)
TIME_ZONE_INVALID = Reason(
    "time_zone_invalid",
    N_("There is no time zone of this name."),
    N_("Choose one of the list, such as Europe/Berlin."),
)
USER_UNKNOWN = Reason(
    "user_unknown",
    N_("There is no user %(login)s."),
    N_("Look the login name up in the list of users."),
    status=404,
)
USER_NOT_DELETED = Reason(
    "user_not_deleted",
    N_("%(login)s is not deleted."),
    N_("There is nothing to restore."),
    status=409,
)
OWN_ACCOUNT = Reason(
    "own_account",
    N_("You cannot delete yourself or withdraw your own System Administrator privilege."),
    N_("Ask another system administrator to do it."),
    status=409,
)
LAST_ADMINISTRATOR = Reason(
    "last_administrator",
    N_("%(login)s is the last system administrator."),
    N_("Give another user the System Administrator privilege first."),
    status=409,
)
PERMISSION_UNKNOWN = Reason(
    "permission_unknown",
    N_("No loaded edition declares the permission %(permission)s."),
    N_("Look the names up with: flask user permissions"),
    status=404,
)
CHANGED_MEANWHILE = Reason(
    "changed_meanwhile",
    N_("Somebody else has changed this user meanwhile."),
    N_("Look at what has changed, then save again what you want."),
    status=409,
)
SESSION_ENDED = Reason(
    "session_ended",
    N_("Your session has ended meanwhile."),
    N_("Nothing was changed. Log in again."),
    status=403,
)
NO_LONGER_ADMINISTRATOR = Reason(
    "no_longer_administrator",
    N_("You are no longer a system administrator."),
    N_("Another system administrator has just changed that. Nothing of yours was done; ask them about it."),
    status=403,
)
