"""Images that a registry has of a side's commit: they take the place of a build."""

from collections.abc import Mapping

from perfci.errors import BaseUnavailableError
from perfci.rig.host import docker
from perfci.rig.host.git import Git
from perfci.rig.host.placeholders import fill, used
from perfci.rig.target.running import Launch

COMMIT = "commit"


def check(images: Mapping[str, str]) -> None:
    """ValueError where both sides would start the same image, whatever their commits are."""
    for service, image in images.items():
        if not used(COMMIT, [image]):
            raise ValueError(f"the image of {service} must contain {{{COMMIT}}}: each side has one of its own commit")


def pull(images: Mapping[str, str], launch: Launch, *, timeout_s: float) -> tuple[str, ...]:
    """Fetch the *images*, by service, at the side's commit; return a sentence for each service, for the reader."""
    if not images:
        return ()
    named = _at_commit(images, launch)
    if not named:
        return (f"the files of the {launch.side} are not exactly those of a commit: its images are built",)
    notes = []
    for service, image in named.items():
        if _is_here(image, launch):
            notes.append(f"{service} of the {launch.side} is the image {image}, which was not built here")
            continue
        done = docker.run("pull", "--quiet", image, environ=launch.environ, timeout_s=timeout_s)
        if done.ok:
            notes.append(f"{service} of the {launch.side} is the image {image}, which was not built here")
        else:
            docker.diagnose(launch.environ)
            why = docker.last_line(done.err or done.out) or "the registry did not answer in time"
            notes.append(f"{service} of the {launch.side} is built: {image} could not be pulled: {why}")
    return tuple(notes)


def present(images: Mapping[str, str], launch: Launch) -> dict[str, str]:
    """Those of the *images* at the side's commit that the engine has, by service."""
    return {service: image for service, image in _at_commit(images, launch).items() if _is_here(image, launch)}


def problem(
    images: Mapping[str, str], services: Mapping[str, Mapping[str, object]], had: Mapping[str, str]
) -> tuple[str, str] | None:
    """Why a service of *images* cannot be started at its own commit, and the next step; None where all can."""
    for service in images:
        if service not in services:
            known = ", ".join(sorted(services))
            message = f"images in [target] names the service {service!r}, and the compose file has {known}"
            return message, "name a service of the compose file"
        if service not in had and "build" not in services[service]:
            return (
                f"there is no image of the service {service!r} for its commit, and the compose file does not build it",
                "push the image before perfci runs, or give the service a build",
            )
    return None


def _at_commit(images: Mapping[str, str], launch: Launch) -> dict[str, str]:
    """The *images* with the commit of the side; none where its files are not exactly those of a commit."""
    if not images:
        return {}
    git = Git(root=launch.source, environ=launch.environ)
    commit = git.head()
    if not commit or (launch.working_tree is None and _is_edited(git)):
        return {}
    return {service: fill(image, {COMMIT: commit}) for service, image in images.items()}


def _is_edited(git: Git) -> bool:
    """Whether files differ from the commit that is checked out; files that git ignores do not count."""
    try:
        status = git.run("status", "--porcelain", "--", ".")
    except BaseUnavailableError:
        return True
    return not status.ok or bool(status.out.strip())


def _is_here(image: str, launch: Launch) -> bool:
    return docker.run("image", "inspect", image, environ=launch.environ).ok
