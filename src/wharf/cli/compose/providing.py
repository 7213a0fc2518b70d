"""Having what services need from beside the project: what providers provide, and models."""

from __future__ import annotations

from wharf.cli.compose.carry import carry_out
from wharf.cli.compose.progress import progress_of
from wharf.compose.model.project import Project
from wharf.compose.plan.observed import Observed
from wharf.compose.plan.providers import provision

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.compose.execute.engine import Engine


def provide(session: Session, engine: Engine, project: Project) -> Project:
    """Return the project, its services told what providers and the model runner say, after these were asked.

    Raises:
        WharfError: one of them failed.
    """
    plan = provision(project)
    if plan:
        from wharf.compose.execute.steps import Steps  # noqa: PLC0415  # most projects have no providers
        from wharf.compose.provided.variables import with_variables  # noqa: PLC0415

        steps = Steps(engine, project, Observed())
        carry_out(session, plan, steps)
        project, warnings = with_variables(project, steps.provided)
        for warning in warnings:
            session.warn(f"WARNING: {warning}")
    return _with_models(session, engine, project) if project.models else project


def _with_models(session: Session, engine: Engine, project: Project) -> Project:
    from wharf.compose.execute.models import ModelRunner  # noqa: PLC0415  # most projects have no models
    from wharf.compose.provided.plugins import model_runner  # noqa: PLC0415
    from wharf.compose.provided.variables import with_models  # noqa: PLC0415

    environment = {**project.environment, "DOCKER_HOST": engine.client.address.url}
    runner = ModelRunner(model_runner(environment), environment)
    return with_models(project, runner.have(project.models, progress_of(session).tell))
