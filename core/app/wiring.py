"""Make the parts of the core from the settings and give each what it needs of the others."""

from collections.abc import Iterable
from functools import partial

from core.accounts.weights import Shares
from core.app.core import Core
from core.app.engine_choice import chore_runner_of, driver_of
from core.app.finishing import finisher
from core.app.housekeeping_metrics import TimedHousekeeping
from core.app.joining import life_rules, pools_served_by
from core.app.logs import RECENT
from core.app.maintenance import Housekeeping
from core.app.model_files import missing_files
from core.app.parts import Parts
from core.app.pruning import Pruning
from core.app.rules import (
    folders,
    readiness_limits,
    worker_rules,
)
from core.app.run_recorder import run_recorder
from core.app.scaling_metrics import PoolFigures, scaling_rules
from core.app.self_check import SelfCheck
from core.app.worker_signs import WorkerPools
from core.bus.incoming import LocalEnds
from core.delivery.file_place import PLACE_AWAY_MS, PLATFORM
from core.delivery.position_updates import PositionPublisher
from core.domain.people import Requester
from core.interfaces.executor import orders_at_once
from core.models.catalog import ModelFile, Profile
from core.service.admission import FileAdmission
from core.service.cancellation import Cancellation
from core.service.clips import ClipReader
from core.service.follow_ups import FollowUps
from core.service.health import HealthReader
from core.service.inputs import InputReader
from core.service.operator_api import OperatorApi, OperatorServices
from core.service.originals import Originals
from core.service.ownership import Ownership
from core.service.preview import Previewer
from core.service.public_clips import PublicClips
from core.service.readiness import ReadinessReader
from core.service.submission import Submission
from core.service.user_accounts import UserAccounts
from core.service.user_api import UserApi
from core.service.user_files import UserFiles
from core.service.user_services import UserServices
from core.storage.dead_letters import DeadDeliveries
from core.storage.gallery import GalleryQueries
from core.storage.health_figures import HealthFigures
from core.worker.driver import Driver
from core.worker.transfers import ArtefactTransfers
from core.worker.worker import Worker


class _Services:
    """What answers people and operators, over the parts."""

    def __init__(self, parts: Parts) -> None:
        self.health = HealthReader(
            parts.jobs, parts.intake, parts.rules, lambda: parts.watch.lost is not None
        )
        self.admission = FileAdmission(parts.media, parts.files, parts.rules, parts.work_folder)
        self.cancellation = Cancellation(
            queue=parts.queue,
            jobs=parts.jobs,
            eraser=parts.eraser,
            dispatcher=parts.dispatcher,
            hub=parts.hub,
            on_owed=parts.owed,
        )
        self.submission = Submission(
            queue=parts.queue,
            jobs=parts.jobs,
            forecasts=parts.forecasts,
            files=parts.files,
            admission=self.admission,
            dispatcher=parts.dispatcher,
            hub=parts.hub,
            estimate=parts.runs.estimate,
            check_budget=parts.runs.check_budget,
            cost_ms=parts.runs.cost_ms,
            pool_of=parts.runs.pool_of,
            rules=parts.rules,
        )
        self.previewer = Previewer(
            parts.rules.limits,
            parts.runs,
            missing_files(parts.settings) if parts.deployment.role.works else _no_files,
            Profile(parts.settings.models.profile),
            parts.executor.name,
            parts.clock,
            parts.settings.workflows_dir if parts.executor.name == "comfy" else None,
        )


def _no_files(files: Iterable[ModelFile]) -> Iterable[ModelFile]:
    """Return nothing: the files are on other machines."""
    del files
    return ()


def build(parts: Parts) -> Core:
    """Return the core over its parts; nothing of it runs yet."""
    services = _Services(parts)
    operators = _operator_api(parts, services)
    return _over_parts(parts)(
        users=_user_api(parts, services, operators),
        operators=operators,
        submission=services.submission,
        cancellation=services.cancellation,
        admission=services.admission,
        health=services.health,
        worker=_worker(parts),
        driver=_driver(parts),
        housekeeping=_housekeeping(parts),
        readiness=_readiness(parts),
        positions=PositionPublisher(parts.jobs, parts.forecasts, parts.hub),
        pool_figures=_pool_figures(parts),
    )


def _over_parts(parts: Parts) -> "partial[Core]":
    """Return the core but for what is made for it alone."""
    return partial(
        Core,
        settings=parts.settings,
        files=parts.files,
        community=parts.community,
        feed=parts.feed,
        queue=parts.queue,
        jobs=parts.jobs,
        forecasts=parts.forecasts,
        quotas=parts.quotas,
        intake=parts.intake,
        recovery=parts.recovery,
        time_guard=parts.time_guard,
        router=parts.router,
        hub=parts.hub,
        bus=parts.bus,
        ends=_ends(parts),
        links=parts.links,
        terms=parts.terms,
        media=parts.media,
        artefacts=parts.artefacts,
        outbox=parts.outbox,
        database=parts.database,
        row_version=parts.row_version,
        executor=parts.executor,
        runs=parts.runs,
        figures=parts.figures,
        fronts=parts.fronts,
        alerts=parts.alerts,
        membership=parts.membership,
    )


def _ends(parts: Parts) -> LocalEnds:
    wake, version = parts.router.wake, parts.row_version
    link = parts.links.hear
    return LocalEnds(parts.hub, parts.dispatcher, wake, parts.terms.hear, version.changed, link)


def _operator_api(parts: Parts, services: _Services) -> OperatorApi:
    steered = OperatorServices(
        jobs=parts.jobs,
        intake=parts.intake,
        quotas=parts.quotas,
        cancellation=services.cancellation,
        linked=parts.community.accounts,
        moderation=parts.community.moderation,
        access=parts.community.access,
        styles=partial(parts.community.styles.of_place, limits=parts.rules.limits),
        feed=parts.feed,
        tokens=parts.community.tokens,
        audit_log=parts.community.audit,
        health=services.health,
        dead=DeadDeliveries(parts.database, parts.clock),
        on_owed=parts.owed,
        runs=partial(parts.runs.recent, everywhere=True),
        log_lines=RECENT.newest,
    )
    return OperatorApi(steered, Requester("cli", "nobody"))


def _user_api(parts: Parts, services: _Services, operators: OperatorApi) -> UserApi:
    settings, limits = parts.settings, parts.rules.limits
    clips = ClipReader(parts.artefacts)
    checked = UserServices(
        jobs=parts.jobs,
        gallery=GalleryQueries(parts.database, parts.settings.clips_folder),
        forecasts=parts.forecasts,
        submission=services.submission,
        cancellation=services.cancellation,
        follow_ups=FollowUps(services.admission, clips, limits, services.previewer.smaller),
        clips=clips,
        inputs=InputReader(parts.artefacts),
        previewer=services.previewer,
        owned=Ownership(parts.jobs, parts.standings, parts.quotas, parts.community.accounts),
        accounts=UserAccounts(parts.community.accounts),
        moderation=parts.community.moderation,
        access=parts.community.access,
        styles=parts.community.styles,
        operators=operators,
        public=PublicClips(parts.database, parts.jobs, parts.community.moderation),
        originals=Originals(parts.community.state, parts.jobs, clips, settings.studio.reached_at),
        feed=parts.feed,
    )
    files = UserFiles(services.admission, parts.files, settings.retention.days)
    shares = Shares.parse(settings.queue.shares)
    return UserApi(checked, files, shares, limits, settings.media.limits())


def _worker(parts: Parts) -> Worker:
    return Worker(
        queue=parts.queue,
        executor=parts.executor,
        finish=finisher(parts.settings),
        transfers=ArtefactTransfers(parts.artefacts),
        record=run_recorder(parts.runs, parts.figures, parts.clock),
        shares=lambda request: parts.runs.estimate(request).shares(),
        dispatcher=parts.dispatcher,
        hub=parts.hub,
        watch=parts.watch,
        alerts=parts.alerts,
        on_outcome=parts.owed,
        media_folder=parts.settings.media_folder,
        work_folder=parts.work_folder,
        rules=worker_rules(parts.settings, parts.deployment.role),
    )


def _driver(parts: Parts) -> Driver:
    devices = orders_at_once(parts.executor)
    pools = partial(pools_served_by, parts.nodes)
    return driver_of(parts.settings, parts.database, parts.dispatcher, devices, pools)


def _pool_figures(parts: Parts) -> PoolFigures:
    settings = parts.settings
    silence_ms, rules = life_rules(settings).silence_ms, scaling_rules(settings.scaling)
    shared = parts.deployment.shares_rows  # of one process nobody can want more
    return PoolFigures(parts.database, rules, parts.clock, silence_ms, told=shared)


def _readiness(parts: Parts) -> ReadinessReader:
    return ReadinessReader(
        figures=HealthFigures(parts.database),
        rules=parts.rules,
        worker=parts.queue if parts.deployment.role.works else WorkerPools(parts.nodes),
        device_lost=lambda: parts.watch.lost is not None,
        fronts=parts.fronts,
        limits=readiness_limits(parts.settings),
        clock=parts.clock,
    )


def _housekeeping(parts: Parts) -> Housekeeping:
    chores = TimedHousekeeping(
        recovery=parts.recovery,
        guard=parts.time_guard,
        checking=SelfCheck(parts.database),
        pruning=Pruning(
            queue=parts.queue,
            database=parts.database,
            eraser=parts.eraser,
            files=parts.files,
            folders=folders(parts.settings),
            traces=parts.traces,
            artefacts=parts.artefacts,
            scratch=parts.scratch,
            clock=parts.clock,
        ),
        hub=parts.hub,
        on_change=parts.changed,
        database=parts.database,
        data_dir=parts.settings.data_dir,
        runner=chore_runner_of(parts.settings, parts.database),
        give_up_deliveries=partial(_give_up_deliveries, parts),
    )
    chores.measure_into(parts.figures.registry)
    return chores


async def _give_up_deliveries(parts: Parts) -> int:
    """Give up files for machines that were away too long; return how many."""
    here, before_ms = parts.membership.files.platform, parts.clock() - PLACE_AWAY_MS
    return len(await parts.outbox.give_up_elsewhere(PLATFORM, here, before_ms))
