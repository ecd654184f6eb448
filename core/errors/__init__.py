"""Everything that can go wrong, as data: a code and fields, never a sentence.

The words a person reads are in ``core/i18n/words`` and are chosen by :mod:`core.i18n.messages`
from the code.

::

    ClapperError
    ├── InvalidInput            the request can never work as asked; nothing was reserved
    │   ├── OutOfRange          a number outside its limits
    │   ├── NotANumber, SeedNotANumber
    │   ├── NotAChoice          a value outside a closed list
    │   ├── OptionMisspelt, FormExpired
    │   ├── NotAnId             a channel or role that is none
    │   ├── RuleLocksOut, AccountUnknown, EntryUnknown: core/errors/access.py
    │   ├── PostUnknown, ChannelUnfit: core/errors/feed.py
    │   ├── PromptMissing, PromptTooLong, DraftUnreadable, ArgumentTooLong
    │   ├── WildcardsTooMany, WildcardsTooDeep, WordsTooLong
    │   ├── StyleUnknown, StyleRefused, StylesUnreadable: core/errors/styles.py
    │   ├── MediaMissing, MediaUnexpected, MediaNotShown, MediaElsewhere
    │   ├── FilmTooLong, FilmComplete, FpsNotEven
    │   ├── TimesUncounted, TimesOutOfOrder, TimesNotApart, TooManyFiles, FilesNotUsed
    │   └── MediaRefused        a file, before it is decoded or while it is
    │       ├── MediaTooLarge, MediaTooManyPixels, MediaTooLong, MediaTooManyFrames
    │       ├── MediaFormatRefused, MediaKindRefused, MediaCodecRefused
    │       ├── MediaNeedsMemory, MediaNeedsTime
    │       ├── MediaMetadataRefused, MediaDamaged
    │       └── MediaUnreadable, MediaGone
    ├── Refused                 a sound request that may not run now, or not for this requester
    │   ├── QuotaExceeded, TooManyJobs, TooCostly, NothingFits, TooManyQueued
    │   ├── TooLargeForDevice, DeviceTooSmall
    │   ├── IntakeClosed, RequesterBlocked, PolicyForbids
    │   ├── AccessClosed, AccessNotAsked, BotRightsMissing, ChatRightsMissing: core/errors/access.py
    │   ├── JobUnknown, NoJob, NotYours, OperatorsOnly, ManagersOnly, AlreadyFinished, KeyReused
    │   ├── FeedClosed, FeedAway, FeedTakenDown, FeedTooOften, ReportNotTaken: core/errors/feed.py
    │   ├── StorageUnavailable  the database cannot be reached now: core/errors/storage.py
    │   ├── ArtefactsUnavailable, ArtefactGone  clips and inputs: core/errors/artefacts.py
    │   └── LinkCodeOwn, LinkCodeUnknown, LinkTriesUsed, NothingToFetch
    ├── GenerationFailed        an accepted job that did not become a clip; its quota is refunded
    │   ├── Cancelled           by its owner, an operator or the shutdown
    │   ├── OutOfMemory, ModelUnavailable, ModelDamaged, SpaceIncomplete
    │   ├── WorkflowRefused, OwnWorkflowFailed, ClipDiffers, OwnNodeFailed  the operator's own
    │   ├── RequestUnreadable   written by another version of Clapper
    │   ├── DiskFull, DeviceLost, WorkerLost, TimedOut
    │   └── InternalError
    ├── DeliveryFailed          a finished job that could not be handed over
    │   ├── DeliveryRetry       try again, after at least ``after_s``
    │   └── DeliveryImpossible  never; the reason is for the operator
    │       └── ClipTooLarge    for its destination, at any acceptable quality
    └── SetupProblem            the installation, not the request: core/errors/setup.py, storage.py
"""

from core.errors.access import (
    AccessClosed,
    AccessNotAsked,
    AccountUnknown,
    BotRightsMissing,
    ChatRightsMissing,
    EntryUnknown,
    RuleLocksOut,
)
from core.errors.base import ClapperError, Scalar, SetupProblem
from core.errors.failures import (
    Cancelled,
    ClipDiffers,
    ClipTooLarge,
    DeliveryFailed,
    DeliveryImpossible,
    DeliveryRetry,
    DeviceLost,
    DiskFull,
    GenerationFailed,
    InternalError,
    ModelDamaged,
    ModelUnavailable,
    OutOfMemory,
    OwnNodeFailed,
    OwnWorkflowFailed,
    RequestUnreadable,
    SpaceIncomplete,
    TimedOut,
    WorkerLost,
    WorkflowRefused,
)
from core.errors.feed import (
    ChannelUnfit,
    FeedAway,
    FeedClosed,
    FeedTakenDown,
    FeedTooOften,
    PostUnknown,
    ReportNotTaken,
)
from core.errors.input import (
    ArgumentTooLong,
    DraftUnreadable,
    FilesNotUsed,
    FilmComplete,
    FilmTooLong,
    FormExpired,
    FpsNotEven,
    InvalidInput,
    MediaElsewhere,
    MediaMissing,
    MediaNotShown,
    MediaUnexpected,
    NotAChoice,
    NotAnId,
    NotANumber,
    OptionMisspelt,
    OutOfRange,
    PromptMissing,
    PromptTooLong,
    SeedNotANumber,
    TimesNotApart,
    TimesOutOfOrder,
    TimesUncounted,
    TooManyFiles,
    WildcardsTooDeep,
    WildcardsTooMany,
    WordsTooLong,
)
from core.errors.media import (
    MediaCodecRefused,
    MediaDamaged,
    MediaFormatRefused,
    MediaGone,
    MediaKindRefused,
    MediaMetadataRefused,
    MediaNeedsMemory,
    MediaNeedsTime,
    MediaRefused,
    MediaTooLarge,
    MediaTooLong,
    MediaTooManyFrames,
    MediaTooManyPixels,
    MediaUnreadable,
)
from core.errors.refusals import (
    AlreadyFinished,
    DeviceTooSmall,
    IntakeClosed,
    JobUnknown,
    KeyReused,
    LinkCodeOwn,
    LinkCodeUnknown,
    LinkTriesUsed,
    NoJob,
    NothingFits,
    NothingToFetch,
    NotYours,
    OperatorsOnly,
    PolicyForbids,
    QuotaExceeded,
    Refused,
    RequesterBlocked,
    ShareTooCostly,
    TooCostly,
    TooLargeForDevice,
    TooManyJobs,
    TooManyQueued,
)
from core.errors.styles import ManagersOnly, StyleRefused, StylesUnreadable, StyleUnknown

__all__ = [
    "AccessClosed",
    "AccessNotAsked",
    "AccountUnknown",
    "AlreadyFinished",
    "ArgumentTooLong",
    "BotRightsMissing",
    "Cancelled",
    "ChannelUnfit",
    "ChatRightsMissing",
    "ClapperError",
    "ClipDiffers",
    "ClipTooLarge",
    "DeliveryFailed",
    "DeliveryImpossible",
    "DeliveryRetry",
    "DeviceLost",
    "DeviceTooSmall",
    "DiskFull",
    "DraftUnreadable",
    "EntryUnknown",
    "FeedAway",
    "FeedClosed",
    "FeedTakenDown",
    "FeedTooOften",
    "FilesNotUsed",
    "FilmComplete",
    "FilmTooLong",
    "FormExpired",
    "FpsNotEven",
    "GenerationFailed",
    "IntakeClosed",
    "InternalError",
    "InvalidInput",
    "JobUnknown",
    "KeyReused",
    "LinkCodeOwn",
    "LinkCodeUnknown",
    "LinkTriesUsed",
    "ManagersOnly",
    "MediaCodecRefused",
    "MediaDamaged",
    "MediaElsewhere",
    "MediaFormatRefused",
    "MediaGone",
    "MediaKindRefused",
    "MediaMetadataRefused",
    "MediaMissing",
    "MediaNeedsMemory",
    "MediaNeedsTime",
    "MediaNotShown",
    "MediaRefused",
    "MediaTooLarge",
    "MediaTooLong",
    "MediaTooManyFrames",
    "MediaTooManyPixels",
    "MediaUnexpected",
    "MediaUnreadable",
    "ModelDamaged",
    "ModelUnavailable",
    "NoJob",
    "NotAChoice",
    "NotANumber",
    "NotAnId",
    "NotYours",
    "NothingFits",
    "NothingToFetch",
    "OperatorsOnly",
    "OptionMisspelt",
    "OutOfMemory",
    "OutOfRange",
    "OwnNodeFailed",
    "OwnWorkflowFailed",
    "PolicyForbids",
    "PostUnknown",
    "PromptMissing",
    "PromptTooLong",
    "QuotaExceeded",
    "Refused",
    "ReportNotTaken",
    "RequestUnreadable",
    "RequesterBlocked",
    "RuleLocksOut",
    "Scalar",
    "SeedNotANumber",
    "SetupProblem",
    "ShareTooCostly",
    "SpaceIncomplete",
    "StyleRefused",
    "StyleUnknown",
    "StylesUnreadable",
    "TimedOut",
    "TimesNotApart",
    "TimesOutOfOrder",
    "TimesUncounted",
    "TooCostly",
    "TooLargeForDevice",
    "TooManyFiles",
    "TooManyJobs",
    "TooManyQueued",
    "WildcardsTooDeep",
    "WildcardsTooMany",
    "WordsTooLong",
    "WorkerLost",
    "WorkflowRefused",
]
