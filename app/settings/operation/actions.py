"""Every action that the core records, with its title; ``titles`` adds what editions declare, for page and export.

Pure: neither Flask nor SQLAlchemy is imported.
"""

from collections.abc import Mapping
from types import MappingProxyType

from app.translation import N_

ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "session.start": N_("Log in"),
        "session.end": N_("Log out"),
        "license.register": N_("Register License"),
        "user.add": N_("Add user"),
        "user.change": N_("Change user"),
        "user.delete": N_("Delete user"),
        "user.restore": N_("Restore user"),
        "user.password": N_("Set password of user"),
        "user.grant_admin": N_("Grant privilege"),
        "user.withdraw_admin": N_("Withdraw privilege"),
        "user.permissions": N_("Change permissions of user"),
        "account.change": N_("Change own particulars"),
        "account.password": N_("Change own password"),
        "account.end_sessions": N_("End own sessions"),
        "token.make": N_("Make a personal token"),
        "token.end": N_("End a personal token"),
        "device.pair": N_("Pair a desktop application"),
        "device.end": N_("End a desktop application"),
        "installation.set_up": N_("Set up the installation"),
        "installation.change": N_("Change General settings"),
        "edition.enable": N_("Enable edition"),
        "edition.disable": N_("Disable edition"),
        "edition.dismiss": N_("Dismiss failures of edition"),
        "edition.settings": N_("Change settings of edition"),
        "edition.migrate": N_("Migrate tables of edition"),
        "database.migrate": N_("Migrate database"),
    }
)
"""By the name that never changes, in the order in which the filter offers them."""

VALUES: Mapping[str, str] = MappingProxyType(
    {
        "login": N_("Login name"),
        "name": N_("Name"),
        "email": N_("E-mail"),
        "language": N_("Language"),
        "time_zone": N_("Time zone"),
        "theme": N_("Theme"),
        "permissions": N_("Permissions"),
        "system_administrator": N_("System Administrator"),
        "disabled": N_("Disabled"),
        "failures": N_("Failures"),
        "revision": N_("Revision"),
        "addresses": N_("Addresses"),
        "scopes": N_("Scopes"),
        "days": N_("Days"),
        "number": N_("License number"),
        "fingerprint": N_("Fingerprint"),
        "edition": N_("Edition"),
        "seats": N_("Seats"),
        "features": N_("Add-on features"),
        "starts": N_("Starts"),
        "license_expires": N_("License Expiration Date"),
        "maintenance_expires": N_("Maintenance Expiration Date"),
    }
)
"""The values that an entry holds before and after, with their titles; editions may record others."""
