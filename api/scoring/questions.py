"""Questions to the models on their way through the ledger, awaited by requests of this process."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from api.errors import NobodyScored
from core.database import BEFORE_COMMIT, Database
from core.errors import InfrastructureError
from core.logs import get_logger
from core.tensor_scores import (
    ANSWERED_CHANNEL,
    ONLINE_PRIORITY,
    answer_of,
    ask_scores,
    remove_scores,
    settled_among,
)
from core.values.tensors import TensorAnswer, TensorQuestion
from core.wakeup import Wakeup, open_wakeup

#: Where tensors are sent, which are larger than other bodies.
TENSOR_PATHS: Final = ("/v2/models",)
#: How long a request waits for its answer.
ANSWER_SECONDS: Final = 30.0
#: Longest wait for a notification, should one be lost.
_LOOK_SECONDS: Final = 0.25
#: Pause while the database is away.
_PAUSE_SECONDS: Final = 1.0

_log = get_logger(__name__)


class Questions:
    """Asks models and waits; belongs to the event loop of the server.

    However many wait, the record is asked by one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._awaited: dict[str, asyncio.Event] = {}
        self._following: asyncio.Task[None] | None = None

    async def ask(
        self,
        question: TensorQuestion,
        priority: int = ONLINE_PRIORITY,
        seconds: float = ANSWER_SECONDS,
    ) -> TensorAnswer:
        """Return what a model says.

        Raises
        ------
        TooManyQuestions
            If so many wait that this one would wait too long.
        TensorsRefused
            If the model does not take these tensors, or is not there.
        TensorsNotScored
            If scoring stopped.
        NobodyScored
            If there is no answer in that time; the question is removed.
        """
        key = await run_in_threadpool(self._ask, question, priority)
        try:
            with self._waiting(key) as settled:
                async with asyncio.timeout(seconds):
                    await settled.wait()
            answer = await run_in_threadpool(self._take, key)
        except TimeoutError:
            raise NobodyScored from None
        finally:
            # Also where the client has gone meanwhile.
            await asyncio.shield(run_in_threadpool(self._remove, key))
        if answer is None:
            raise NobodyScored
        return answer

    @contextmanager
    def _waiting(self, key: str) -> Iterator[asyncio.Event]:
        settled = self._awaited[key] = asyncio.Event()
        if self._following is None:
            self._following = asyncio.create_task(self._follow())
        try:
            yield settled
        finally:
            del self._awaited[key]

    async def _follow(self) -> None:
        """Look for answers at each wake-up while anybody waits."""
        wakeup = open_wakeup(self._database, ANSWERED_CHANNEL)
        try:
            while self._awaited:
                await self._look(wakeup)
        finally:
            self._following = None
            wakeup.close()

    async def _look(self, wakeup: Wakeup) -> None:
        awaited = dict(self._awaited)
        try:
            settled = await run_in_threadpool(self._settled, list(awaited))
        except InfrastructureError as error:
            _log.warning("infrastructure_away", error=str(error), pause_seconds=_PAUSE_SECONDS)
            await asyncio.sleep(_PAUSE_SECONDS)
            return
        for key in settled:
            awaited[key].set()
        if not settled:
            await run_in_threadpool(wakeup.wait, _LOOK_SECONDS)
        else:
            # Those who have their answer leave first.
            await asyncio.sleep(0)

    def _ask(self, question: TensorQuestion, priority: int) -> str:
        # Whether it was answered is known later: the audit entry is written with the answer.
        BEFORE_COMMIT.set(None)
        with self._database.transaction() as session:
            return ask_scores(session, question, priority)

    def _settled(self, keys: list[str]) -> set[str]:
        with self._database.reading() as session:
            return settled_among(session, keys)

    def _take(self, key: str) -> TensorAnswer | None:
        with self._database.reading() as session:
            return answer_of(session, key)

    def _remove(self, key: str) -> None:
        BEFORE_COMMIT.set(None)
        try:
            with self._database.transaction() as session:
                remove_scores(session, [key])
        except InfrastructureError as error:
            # The sweep removes it later.
            _log.warning("question_not_removed", error=str(error))


def _questions(request: Request) -> Questions:
    questions: Questions = request.app.state.questions
    return questions


#: A route's parameter: where models are asked.
QuestionsParameter = Annotated[Questions, Depends(_questions)]
