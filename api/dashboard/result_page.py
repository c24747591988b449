"""One result with all it was made from."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from api.access import REVIEWERS
from api.dashboard.advice import advice_of
from api.dashboard.agreement_view import agreement_view
from api.dashboard.bscan_view import bscan_view
from api.dashboard.compare_view import CompareView, compare_view, like_first
from api.dashboard.field_view import field_view, grey_scale_png
from api.dashboard.linked_view import linked_view
from api.dashboard.profile_view import profile_view
from api.dashboard.reason_words import reason_words
from api.dashboard.scan_picture import small_jpeg
from api.dashboard.templating import render
from api.dependencies import NodeParameter
from api.rest.predictions import find_record
from api.rest.summaries import find_summary
from api.schemas.prediction_json import prediction_links
from api.security import CallerParameter
from core.earlier_results import EarlierResult, find_earlier
from core.errors import RecordNotFound
from core.field_agreement import find_comparison
from core.perimetry.norms import NORM_AGE_RANGE_YEARS, NORM_NAME, is_within_norm_age
from core.prediction_rows import prediction_of
from core.predictions import load_prediction
from core.reviews import is_reviewable, open_requests, reviews_of
from core.tables.columns import key_of
from core.values.prediction import Prediction
from dicom_node.storage.pictures import read_picture

ROUTER: Final = APIRouter(prefix="/predictions/{prediction_id}", include_in_schema=False)

#: Chosen instead of a result to compare with.
_NOTHING: Final = "none"

Compare = Annotated[str, Query(max_length=64)]


@ROUTER.get("")
def show_result(
    node: NodeParameter, caller: CallerParameter, prediction_id: str, compare: Compare = ""
) -> HTMLResponse:
    """Show one result with all it was made from, beside an earlier one of the same eye."""
    with node.database.reading() as session:
        record = find_record(session, prediction_id)
        summary = find_summary(session, record[3])
        row, prediction = record[0], prediction_of(record)
        months = node.settings.agreement_months
        reviews = reviews_of(session, prediction_id)
        request = open_requests(session, [prediction_id]).get(prediction_id)
        measured = find_comparison(session, prediction, key_of(record[4]), months)
        earlier = find_earlier(session, prediction, key_of(record[1]), key_of(record[4]))
        comparison = _comparison(session, prediction, earlier, compare)
    bscan = bscan_view(node.storage, row.preview_key, prediction.layers)
    has_fundus = row.fundus_key is not None and node.storage.exists(row.fundus_key)
    return render(
        "result.html",
        caller=caller,
        prediction=prediction,
        superseded_by=row.superseded_by,
        scan_removed_at=record[1].bytes_removed_at,
        summary=summary,
        reviews=reviews[::-1],
        review_request=request,
        may_review=REVIEWERS.allows(caller) and is_reviewable(prediction.status),
        may_ask=caller.has_session and is_reviewable(prediction.status),
        agreement=agreement_view(measured, prediction.laterality),
        earlier=earlier,
        comparison=comparison,
        field=field_view(prediction),
        profile=profile_view(prediction, comparison.thickness_um if comparison else None),
        bscan=bscan,
        linked=linked_view(prediction, bscan, has_fundus),
        links=prediction_links(prediction, bscan is not None, has_fundus),
        norm_name=NORM_NAME,
        norm_ages=NORM_AGE_RANGE_YEARS,
        norm_is_extrapolated=_is_extrapolated(prediction),
        advice=[
            (reason_words(reason), advice_of(reason, prediction)) for reason in prediction.reasons
        ],
    )


@ROUTER.get("/grey-scale.png")
def show_grey_scale(node: NodeParameter, prediction_id: str) -> Response:
    """Draw the grey scale map of the estimate."""
    with node.database.reading() as session:
        prediction = prediction_of(find_record(session, prediction_id))
    if prediction.estimate is None or prediction.laterality is None:
        raise RecordNotFound("There is no estimate to draw")
    content = grey_scale_png(prediction.estimate, prediction.laterality)
    return Response(content, media_type="image/png")


@ROUTER.get("/scan.jpg")
def show_scan(node: NodeParameter, prediction_id: str) -> Response:
    """Return the picture of the scan as a page shows it: as large, and lighter to load."""
    with node.database.reading() as session:
        key = find_record(session, prediction_id)[0].preview_key
    picture = read_picture(node.storage, key)
    if picture is None:
        raise RecordNotFound("No picture of this scan was kept")
    return Response(small_jpeg(picture), media_type="image/jpeg")


def _comparison(
    session: Session, prediction: Prediction, earlier: list[EarlierResult], wanted: str
) -> CompareView | None:
    """Return the comparison that was asked for, or the one that lies at hand.

    Raises
    ------
    RecordNotFound
        If what was asked for is no earlier estimate of this eye: another patient's never is.
    """
    if wanted == _NOTHING or prediction.estimate is None:
        return None
    chosen = like_first(prediction, earlier)
    if wanted:
        chosen = next((found for found in earlier if found.prediction_id == wanted), None)
        if chosen is None:
            raise RecordNotFound("There is no earlier result of this eye with that id")
    before = None if chosen is None else load_prediction(session, chosen.prediction_id)
    return compare_view(prediction, chosen, before)


def _is_extrapolated(prediction: Prediction) -> bool:
    return prediction.age_years is not None and not is_within_norm_age(prediction.age_years)
