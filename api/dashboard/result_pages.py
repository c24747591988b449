"""One result, with all it was made from."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from api.access import REVIEWERS
from api.dashboard.advice import advice_of
from api.dashboard.agreement_view import agreement_view
from api.dashboard.bscan_view import bscan_view
from api.dashboard.field_view import field_view, grey_scale_png
from api.dashboard.profile_view import profile_view
from api.dashboard.templating import render
from api.dependencies import NodeParameter
from api.rest.predictions import find_record
from api.rest.summaries import find_summary
from api.schemas.prediction_json import prediction_links
from api.security import CallerParameter
from core.errors import RecordNotFound
from core.field_agreement import find_comparison
from core.perimetry.norms import NORM_AGE_RANGE_YEARS, NORM_NAME, is_within_norm_age
from core.predictions import prediction_of
from core.reviews import is_reviewable, open_requests, reviews_of
from core.tables.columns import key_of
from core.values.prediction import Prediction

ROUTER: Final = APIRouter(include_in_schema=False)


@ROUTER.get("/predictions/{prediction_id}")
def show_result(node: NodeParameter, caller: CallerParameter, prediction_id: str) -> HTMLResponse:
    """Show one result with all it was made from."""
    with node.database.reading() as session:
        record = find_record(session, prediction_id)
        summary = find_summary(session, record[3])
        row, prediction = record[0], prediction_of(record)
        months = node.settings.agreement_months
        reviews = reviews_of(session, prediction_id)
        request = open_requests(session, [prediction_id]).get(prediction_id)
        comparison = find_comparison(session, prediction, key_of(record[4]), months)
    bscan = bscan_view(node.storage, row.preview_key, prediction.layers)
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
        agreement=agreement_view(comparison, prediction.laterality),
        field=field_view(prediction),
        profile=profile_view(prediction),
        bscan=bscan,
        links=prediction_links(prediction, bscan is not None),
        norm_name=NORM_NAME,
        norm_ages=NORM_AGE_RANGE_YEARS,
        norm_is_extrapolated=_is_extrapolated(prediction),
        advice=[(reason.message, advice_of(reason, prediction)) for reason in prediction.reasons],
    )


@ROUTER.get("/predictions/{prediction_id}/grey-scale.png")
def show_grey_scale(node: NodeParameter, prediction_id: str) -> Response:
    """Draw the grey scale map of the estimate."""
    with node.database.reading() as session:
        prediction = prediction_of(find_record(session, prediction_id))
    if prediction.estimate is None or prediction.laterality is None:
        raise RecordNotFound("There is no estimate to draw")
    content = grey_scale_png(prediction.estimate, prediction.laterality)
    return Response(content, media_type="image/png")


def _is_extrapolated(prediction: Prediction) -> bool:
    return prediction.age_years is not None and not is_within_norm_age(prediction.age_years)
