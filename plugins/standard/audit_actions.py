"""What Standard records in the audit log, as its filter offers it."""

from app.sdk import N_, AuditAction

AUDIT_ACTIONS = (
    AuditAction("sheet.correct", N_("Correct hours of somebody else")),
    AuditAction("closing.close", N_("Close days")),
    AuditAction("closing.reopen", N_("Reopen days")),
    AuditAction("work_item.add", N_("Add work item")),
    AuditAction("work_item.change", N_("Change work item")),
    AuditAction("work_item.finish", N_("Finish work item")),
    AuditAction("work_item.reopen", N_("Reopen work item")),
    AuditAction("work_item.delete", N_("Delete work item")),
    AuditAction("work_item.members", N_("Change members of project")),
    AuditAction("work_item.import", N_("Import work items")),
)
