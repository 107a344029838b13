"""Every reason for which an edition is not loaded, or may not be switched."""

from app.refusal import Reason
from app.translation import N_

# Why an edition is not loaded ---------------------------------------------------------------------------------------

IMPORT_FAILED = Reason(
    "edition_import_failed",
    N_("It could not be loaded at the last start (%(error)s)."),
    N_("Update or repair the package, then restart the application."),
    status=500,
)
WRONG_TYPE = Reason(
    "edition_wrong_type",
    N_("Its entry point leads to %(found)s and not to a subclass of app.sdk.Edition."),
    N_("Ask the author of the package for a repaired version."),
    status=500,
)
MALFORMED = Reason(
    "edition_malformed",
    N_("What it declares about itself is not right: %(problem)s."),
    N_("Ask the author of the package for a repaired version."),
    status=500,
)
NEEDS_NEWER_APPLICATION = Reason(
    "edition_needs_newer_application",
    N_("It asks for app.sdk %(wanted)s, this application offers %(offered)s."),
    N_("Update the application, or install an earlier version of the package."),
    status=500,
)
TOO_OLD = Reason(
    "edition_too_old",
    N_("It asks for app.sdk %(wanted)s, the oldest that this application offers is %(oldest)s."),
    N_("Update the package, then restart the application."),
    status=500,
)
NEEDS_OTHER_APPLICATION = Reason(
    "edition_needs_other_application",
    N_("It asks for TimeTracker RX %(wanted)s, and this is %(version)s."),
    N_("Install a version of the package that goes with this application."),
    status=500,
)
BASE_MISSING = Reason(
    "edition_base_missing",
    N_("It extends the edition %(base)s, which is not loaded."),
    N_("Install, repair or enable that edition, then restart the application."),
    status=500,
)
EXTENDS_ITSELF = Reason(
    "edition_extends_itself",
    N_("It extends the edition %(base)s, which in the end extends it."),
    N_("Ask the authors of the packages for a repaired version."),
    status=500,
)
DUPLICATE = Reason(
    "edition_duplicate",
    N_("The package %(source)s brings an edition of this name already."),
    N_("Remove one of the two packages, then restart the application."),
    status=409,
)
FEATURE_TAKEN = Reason(
    "edition_feature_taken",
    N_("It declares the feature %(feature)s, which the edition %(owner)s declares already."),
    N_("Ask the author of the package for a repaired version."),
    status=500,
)
ADDRESS_TAKEN = Reason(
    "edition_address_taken",
    N_("It asks for the address %(address)s, which belongs to %(owner)s."),
    N_("Ask the author of the package for a repaired version."),
    status=500,
)
REGISTRATION_FAILED = Reason(
    "edition_registration_failed",
    N_("Its pages could not be set up (%(error)s)."),
    N_("Update or repair the package, then restart the application."),
    status=500,
)
SWITCHED_OFF = Reason(
    "edition_switched_off",
    N_("It was switched off by %(login)s on %(day)s; its data is kept."),
    N_("Enable it, then restart the application."),
    status=409,
)

# Why a loaded edition is locked, or its tables are not migrated ------------------------------------------------------

NEEDS_MIGRATION = Reason(
    "edition_needs_migration",
    N_("The database has to be migrated before this edition can be used."),
    N_("The operator runs: flask db upgrade"),
    N_("Nothing is lost. It opens by itself once that is done."),
    status=503,
)
DATABASE_NEWER = Reason(
    "edition_database_newer",
    N_("The database was migrated by a newer version of this edition (%(revision)s)."),
    N_("The operator installs that version of the package again."),
    N_("Nothing is lost. It opens again once that is done."),
    status=503,
)
MIGRATIONS_MISSING = Reason(
    "edition_migrations_missing",
    N_("It has tables, and its package has no migration that makes them."),
    N_("Its author runs: flask edition revision %(name)s -m MESSAGE"),
    status=503,
)
MIGRATIONS_UNREADABLE = Reason(
    "edition_migrations_unreadable",
    N_("Its migrations cannot be read (%(error)s)."),
    N_("Update or repair the package, then restart the application."),
    status=503,
)
MIGRATION_FAILED = Reason(
    "edition_migration_failed",
    N_("The migration of the edition %(edition)s has failed and changed nothing (%(error)s)."),
    N_("Update or repair the package, then run the command again."),
    status=500,
)
REVISION_UNKNOWN = Reason(
    "edition_revision_unknown",
    N_("The edition %(edition)s has no migration %(revision)s."),
    N_("Name one of these: %(known)s."),
    status=404,
)
MIGRATIONS_NOT_LOADED = Reason(
    "edition_migrations_not_loaded",
    N_("The edition %(name)s is not loaded, so its migrations cannot be run or written."),
    N_("See the reason with: flask edition list"),
    status=409,
)
NO_TABLES = Reason(
    "edition_has_no_tables",
    N_("The edition %(name)s declares no tables."),
    N_("Its author names their declarative base in the attribute models first."),
    status=409,
)
NOTHING_TO_MIGRATE = Reason(
    "edition_nothing_to_migrate",
    N_("The tables of the edition %(name)s are what its models say."),
    N_("Change the models first, or write an empty migration with --empty."),
    status=409,
)
MESSAGE_INVALID = Reason(
    "edition_message_invalid",
    N_("The message of a migration is one line of 1 to %(limit)s characters."),
    N_("Write another message."),
)
MIGRATION_UNWRITABLE = Reason(
    "edition_migration_unwritable",
    N_("The migration cannot be written into %(folder)s (%(error)s)."),
    N_("Install the package from a folder of yours, with: pip install --editable FOLDER"),
    status=409,
)

# Why an edition may not be switched ---------------------------------------------------------------------------------

NOT_INSTALLED = Reason(
    "edition_not_installed",
    N_("No edition of the name %(name)s is installed."),
    N_("Look the name up on the page Editions, or with: flask edition list"),
    status=404,
)
STILL_NEEDED = Reason(
    "edition_still_needed",
    N_("The edition %(name)s cannot be disabled, because %(others)s extends it."),
    N_("Disable that edition first, then restart the application."),
    status=409,
)

# Why the package of a new edition is not written --------------------------------------------------------------------

NAME_INVALID = Reason(
    "edition_name_invalid",
    N_("%(name)s is no name for an edition."),
    N_("Use lower-case letters, digits and single underscores, such as field_service."),
)
TITLE_INVALID = Reason(
    "edition_title_invalid",
    N_("The title of an edition is one line of 1 to %(limit)s characters."),
    N_("Choose another title."),
)
NAME_TAKEN = Reason(
    "edition_name_taken",
    N_("The name %(name)s belongs to the application or to an edition that is installed."),
    N_("Choose another name."),
    status=409,
)
FOLDER_EXISTS = Reason(
    "edition_folder_exists",
    N_("%(folder)s exists already, and nothing in it was changed."),
    N_("Choose another name, or another folder with --folder."),
    status=409,
)
FOLDER_UNUSABLE = Reason(
    "edition_folder_unusable",
    N_("The package cannot be written into %(folder)s (%(error)s)."),
    N_("Name a folder that exists and can be written to with --folder."),
    status=409,
)

# Why the texts of an edition are not collected ----------------------------------------------------------------------

TEXT_UNREADABLE = Reason(
    "edition_text_unreadable",
    N_("%(file)s cannot be read (%(error)s)."),
    N_("Mend the file, then try again."),
)
CATALOGUE_UNWRITABLE = Reason(
    "edition_catalogue_unwritable",
    N_("%(file)s cannot be written (%(error)s)."),
    N_("Work on a checkout of the edition that is installed with: pip install --editable"),
    status=409,
)

# Why a setting of an edition is not changed -------------------------------------------------------------------------

SETTINGS_NOT_LOADED = Reason(
    "edition_not_loaded",
    N_("The edition %(name)s is not loaded, and only a loaded edition has settings to change."),
    N_("See the reason on the page Editions, or with: flask edition list"),
    status=409,
)
SETTING_CHANGED_MEANWHILE = Reason(
    "setting_changed_meanwhile",
    N_("Somebody else has changed this meanwhile: now it is “%(present)s”."),
    N_("What you have typed counts if you save again."),
    status=409,
)
SETTING_NOT_A_SWITCH = Reason(
    "setting_not_a_switch",
    N_("This is neither true nor false."),
    N_("Write true or false."),
)
SETTING_NOT_A_NUMBER = Reason(
    "setting_not_a_number",
    N_("This is not a whole number from %(minimum)s to %(maximum)s."),
    N_("Type a number such as %(example)s."),
)
SETTING_EMPTY = Reason(
    "setting_empty",
    N_("This cannot be left empty."),
    N_("Fill in this field."),
)
SETTING_TOO_LONG = Reason(
    "setting_too_long",
    N_("This has %(length)s characters, and %(limit)s is the most."),
    N_("Shorten it."),
)
SETTING_NOT_PRINTABLE = Reason(
    "setting_not_printable",
    N_("This has characters in it that cannot be shown, such as a line break."),
    N_("Type it anew, in one line."),
)
SETTING_NOT_A_CHOICE = Reason(
    "setting_not_a_choice",
    N_("This is none of the choices."),
    N_("Choose one of these: %(choices)s."),
)
SETTING_NOT_A_DAY = Reason(
    "setting_not_a_day",
    N_("This is not a day."),
    N_("Write it as 2027-03-31."),
)
