"""Ending devices, one's own and, for administrators, those of others."""

from app.sdk import end_device, write_transaction


def disconnect(user_id: int, device_id: int) -> bool:
    """End the token of a device; returns whether there was such a one. It is refused from its next request on."""
    with write_transaction() as session:
        return end_device(session, user_id, device_id)
