"""What can go wrong at the front door, each error with its HTTP meaning. `gateway.problems` renders them."""

from __future__ import annotations

# Whether a commit came through is not known where its answer was lost.
AGAIN = "Send it again with the same Idempotency-Key: it is taken once."


class GatewayError(Exception):
    """Base of the errors of this app."""

    status = 400
    code = "bad-request"
    title = "The request cannot be served"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


class StorageUnavailable(OSError):
    """The storage of photos and weights, which is elsewhere, does not answer or refuses."""


class BadField(GatewayError):
    """A part of the request has a wrong value."""

    status = 422
    code = "field-invalid"
    title = "A field is not valid"


class MediaTypeRefused(GatewayError):
    """The body is of a type that this endpoint does not take."""

    status = 415
    code = "media-type-unsupported"
    title = "This media type is not taken"


class LengthRequired(GatewayError):
    """The body came in chunks of unknown length."""

    status = 411
    code = "length-required"
    title = "The length of the body is missing"


class BodyTooLarge(GatewayError):
    """The body is over a size limit."""

    status = 413
    code = "body-too-large"
    title = "The body is too large"


class LineUnknown(GatewayError):
    """No such line, or none that this token may use."""

    status = 404
    code = "line-unknown"
    title = "There is no such line"


class StorageFull(GatewayError):
    """There is no room for a photo."""

    status = 503
    code = "storage-full"
    title = "There is no room for the photo"


class ApprovalsKept(GatewayError):
    """Fewer approvals were asked for by somebody whom they bind."""

    status = 403
    code = "approvals-kept"
    title = "The number of approvals stays"


class LineRetired(GatewayError):
    """The line takes no more items."""

    status = 409
    code = "line-retired"
    title = "The line is retired"


class ItemUnknown(GatewayError):
    """No such item, or none that this token may see."""

    status = 404
    code = "item-unknown"
    title = "There is no such item"


class ExternalIdTaken(GatewayError):
    """The line takes each external id once."""

    status = 409
    code = "external-id-taken"
    title = "The external id is taken"


class KeyReused(GatewayError):
    """The idempotency key came before with another body."""

    status = 422
    code = "idempotency-key-reused"
    title = "The idempotency key belongs to another request"


class NotDecided(GatewayError):
    """There is no decision to appeal against."""

    status = 409
    code = "item-not-decided"
    title = "The item has no decision yet"


class AlreadyOpen(GatewayError):
    """People are already asked for this reason."""

    status = 409
    code = "referral-open"
    title = "People are already looking at it"


class PhotoDeleted(GatewayError):
    """The photo is no longer kept, so nobody can look at the item again."""

    status = 410
    code = "photo-deleted"
    title = "The photo is no longer kept"


class MovedMeanwhile(GatewayError):
    """Somebody else moved the object first, which is normal life."""

    status = 409
    code = "moved-meanwhile"
    title = "Somebody else was faster"


class ModelDoesNotFit(GatewayError):
    """The model speaks of classes that the line does not have, or of another kind of input."""

    status = 422
    code = "model-does-not-fit"
    title = "The model does not fit the line"


class NothingDeployed(GatewayError):
    """There is no model in that role, or none before it."""

    status = 409
    code = "nothing-deployed"
    title = "There is no such model in production"


class ScopeMissing(GatewayError):
    """The token is good, and not for this."""

    status = 403
    code = "scope-missing"
    title = "The token may not do this"


class ArchiveBroken(GatewayError):
    """The archive cannot be read, or not any further."""

    status = 422
    code = "archive-broken"
    title = "The archive cannot be read further"


class ArchiveStalled(GatewayError):
    """Nothing came of the archive for too long."""

    status = 408
    code = "archive-stalled"
    title = "The archive came too slowly"


class ArchivesBusy(GatewayError):
    """As many archives are on the road already as may be."""

    status = 503
    code = "archives-busy"
    title = "Too many archives at the same time"


class ArchiveUnfinished(GatewayError):
    """Something failed here in the middle of an archive; the log says what."""

    status = 500
    code = "archive-unfinished"
    title = "The archive was not finished"


class MemberRefused(GatewayError):
    """One member of an archive cannot be a photo; the others are not harmed."""

    status = 422
    code = "member-refused"
    title = "This member of the archive is not taken"


class MemberMissing(GatewayError):
    """The manifest tells of a file that is not in the archive."""

    status = 422
    code = "member-missing"
    title = "The file is not in the archive"


class NotRecorded(GatewayError):
    """Whether it was written is not known to the caller's thread; a retry with an idempotency key is safe."""

    status = 503
    code = "not-recorded"
    title = "It may not have been written"
