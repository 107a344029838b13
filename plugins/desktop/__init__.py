"""The module Desktop: the server's side of the desktop application, which works until its maintenance ends."""

from app.sdk import N_, AuditAction, Edition, Feature, NavItem, SlotContent
from plugins.desktop.api import api
from plugins.desktop.models import Model
from plugins.desktop.views import devices_of_user, own_devices, pages


class DesktopEdition(Edition):
    """Included in Standard, and so in every edition that extends it."""

    name = "desktop"
    title = N_("Desktop application")
    description = N_("Pairing, sync and download of the application that records hours on one's own computer.")
    api_version = 1
    order = 20
    included_in = ("standard",)
    features = (
        Feature(
            "desktop.use",
            N_("Desktop application"),
            N_("Records hours on one's own computer, off line too, until the Maintenance Expiration Date."),
        ),
    )
    audit_actions = (
        AuditAction("desktop.confirm", N_("Device confirmed")),
        AuditAction("desktop.deny", N_("Device denied")),
    )
    models = Model
    blueprints = (pages, api)
    navigation = (NavItem("desktop.index", N_("Desktop"), "device-desktop"),)
    slots = (
        SlotContent("account", own_devices, feature="desktop.use"),
        SlotContent("user.detail", devices_of_user, feature="desktop.use"),
    )
