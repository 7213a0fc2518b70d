"""Which module has which command; the only table of them. Modules are imported when their command is typed."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wharf.cli.command import Command

# module (below wharf.cli) -> commands: name -> one line
_MODULES: dict[str, dict[str, str]] = {
    "run": {
        "run": "Create and run a new container from an image",
        "create": "Create a new container",
    },
    "attach": {
        "attach": "Attach this terminal to a running container",
        "start": "Start stopped containers",
    },
    "exec": {"exec": "Run one more command in a running container"},
    "cp": {
        "cp": "Copy files between a container and this machine",
        "export": "Write a container's file system as a tar archive",
        "diff": "Show what a container has changed of its image",
        "commit": "Make an image of a container's changes",
    },
    "ps": {"ps": "List containers"},
    "lifecycle": {
        "stop": "Stop running containers",
        "restart": "Stop containers and start them again",
        "kill": "Send a signal to running containers",
        "pause": "Freeze all processes of containers",
        "unpause": "Let paused containers go on",
        "rename": "Give a container another name",
        "rm": "Remove containers",
        "wait": "Wait until containers stop, then print their exit codes",
        "container prune": "Remove all stopped containers",
    },
    "checkpoints": {
        "checkpoint create": "Save a running container's processes",
        "checkpoint ls": "List what was saved of a container",
        "checkpoint rm": "Forget what was saved",
    },
    "details": {
        "port": "List a container's published ports",
        "top": "Show a container's processes",
        "update": "Change the limits of containers",
    },
    "inspect": {
        "inspect": "Show everything about objects, as JSON",
        "container inspect": "Show everything about containers, as JSON",
        "image inspect": "Show everything about images, as JSON",
        "network inspect": "Show everything about networks, as JSON",
        "volume inspect": "Show everything about volumes, as JSON",
        "plugin inspect": "Show everything about plugins, as JSON",
    },
    "logs": {"logs": "Show a container's log"},
    "stats": {"stats": "Show what containers use, live"},
    "events": {"events": "Show what happens in the engine, live"},
    "images": {
        "images": "List images",
        "history": "Show an image's layers",
        "tag": "Give an image one more name",
        "rmi": "Remove images",
        "image prune": "Remove unused images",
        "image squash": "Make an image's layers one",
    },
    "build.command": {
        "build": "Build an image from a Dockerfile",
        "builder prune": "Remove the results of earlier builds",
    },
    "pull": {
        "pull": "Download an image from a registry",
        "push": "Upload an image to a registry",
        "search": "Search a registry for images",
    },
    "archives": {
        "load": "Load images from an archive",
        "save": "Save images to an archive",
        "import": "Make an image of a root file system's archive",
        "image bootstrap": "Make a base image on this machine, with no registry",
    },
    "networks": {
        "network connect": "Join a container to a network",
        "network create": "Create a network",
        "network disconnect": "Take a container out of a network",
        "network ls": "List networks",
        "network prune": "Remove unused networks",
        "network rm": "Remove networks",
    },
    "volumes": {
        "volume create": "Create a volume",
        "volume ls": "List volumes",
        "volume rm": "Remove volumes",
        "volume update": "Change a cluster's volume",
        "volume prune": "Remove unused volumes",
    },
    "plugins": {
        "plugin create": "Make a plugin of a root and its configuration",
        "plugin install": "Install a plugin from a registry, and enable it",
        "plugin ls": "List plugins",
        "plugin enable": "Start a plugin",
        "plugin disable": "End a plugin",
        "plugin set": "Change settings of a plugin that is disabled",
        "plugin upgrade": "Put another image in the place of a plugin that is disabled",
        "plugin push": "Send a plugin to a registry",
        "plugin rm": "Remove plugins",
    },
    "info": {"info": "Show the engine's state and the machine's"},
    "system": {
        "system df": "Show what the engine's objects take on disk",
        "system prune": "Remove what is not in use",
    },
    "login": {"login": "Log in to a registry", "logout": "Log out of a registry"},
    "system_check": {"system check": "Verify everything that is stored"},
    "dial": {"system dial-stdio": "Make standard input and output a connection to the engine"},
    "contexts": {
        "context create": "Name an engine",
        "context update": "Change a context",
        "context ls": "List contexts",
        "context show": "Print the name of the context in use",
        "context use": "Choose the engine for the commands to come",
        "context inspect": "Show everything about contexts, as JSON",
        "context rm": "Remove contexts",
    },
    "context_files": {
        "context export": "Write a context to a file",
        "context import": "Read a context from a file",
    },
    "compose.config": {"compose config": "Check the files of a project, and print what they mean"},
    "compose.up": {
        "compose up": "Create and start containers",
        "compose create": "Create containers, and start none",
        "compose plan": "Show what `up` would do, and why",
        "compose scale": "Bring services to a number of containers",
    },
    "compose.down": {"compose down": "Stop and remove containers and networks"},
    "compose.one": {
        "compose attach": "Attach this terminal to a service's container",
        "compose commit": "Make an image of what a service's container has changed",
        "compose cp": "Copy files between a service's containers and this machine",
        "compose export": "Write the file system of a service's container as a tar archive",
        "compose port": "Show where a port of a service is published",
    },
    "compose.lists": {
        "compose ls": "List the projects of this engine",
        "compose images": "List the images that containers were made from",
        "compose volumes": "List a project's volumes",
        "compose top": "Show the processes of services",
        "compose stats": "Show what services' containers use, live",
    },
    "compose.following": {
        "compose events": "Show what happens to a project's containers, live",
        "compose wait": "Wait until containers of services stop; the last one's exit code is the command's",
    },
    "compose.logs": {"compose logs": "Show what containers write"},
    "compose.exec": {"compose exec": "Run one more command in a running container"},
    "compose.run": {"compose run": "Run one command in a container of a service"},
    "compose.watch": {"compose watch": "Follow files, and bring what changes into containers"},
    "compose.ps": {"compose ps": "List a project's containers"},
    "compose.verbs": {
        "compose start": "Start containers that are there",
        "compose stop": "Stop containers, and leave them there",
        "compose restart": "Stop containers and start them again",
        "compose kill": "Send a signal to containers",
        "compose pause": "Freeze all processes of containers",
        "compose unpause": "Let frozen containers go on",
        "compose rm": "Remove stopped containers",
    },
    "compose.transfers": {
        "compose pull": "Download the images of services",
        "compose push": "Upload the images of services",
        "compose build": "Build the images of services",
    },
    "compose.publish": {"compose publish": "Publish a project's files to a registry"},
    "compose.alpha": {
        "compose alpha dry-run": "Show what a command of `compose` would do",
        "compose alpha generate": "Write the Compose file of containers that are there",
        "compose alpha viz": "Draw a project's services, as a graph for graphviz",
    },
    "compose.bridge": {
        "compose bridge convert": "Make Kubernetes manifests, Helm charts or other files of a project",
        "compose bridge transformations create": "Write the folder of a new transformation",
        "compose bridge transformations list": "List the transformations that this engine has",
    },
    "compose.version": {"compose version": "Show this command's version"},
    "completion": {
        "completion": "Print what a shell needs to complete our commands",
        "__complete": "Tell a completion script what may follow",
    },
    "version": {"version": "Show the versions of this command and of the engine"},
    "doctor": {"doctor": "Tell what this machine has and lacks for containers"},
    "unshare": {"unshare": "Run a program in the namespaces of your own engines"},
    "daemon": {"daemon": "Run the engine in the foreground (wharfd)"},
}

_IN_CONTAINER = (
    "attach", "commit", "cp", "create", "diff", "exec", "export", "kill", "logs", "pause", "port",
    "rename", "restart", "rm", "run", "start", "stats",
    "stop", "top", "unpause", "update", "wait",
)  # fmt: skip
ALIASES: dict[str, str] = {
    **{f"container {name}": name for name in _IN_CONTAINER},
    "container ls": "ps", "container list": "ps", "container ps": "ps", "container remove": "rm",
    "image ls": "images", "image list": "images", "image rm": "rmi", "image remove": "rmi",
    "image history": "history", "image tag": "tag", "image load": "load", "image save": "save",
    "image import": "import", "image build": "build", "builder build": "build",
    "image pull": "pull", "image push": "push",
    "network list": "network ls", "network remove": "network rm",
    "volume list": "volume ls", "volume remove": "volume rm",
    "plugin list": "plugin ls", "plugin remove": "plugin rm",
    "checkpoint list": "checkpoint ls", "checkpoint remove": "checkpoint rm",
    "system info": "info", "system events": "events",
    "context list": "context ls", "context remove": "context rm",
    "compose convert": "compose config",
    "compose alpha publish": "compose publish", "compose alpha scale": "compose scale",
    "compose alpha watch": "compose watch",
    "compose bridge transformations ls": "compose bridge transformations list",
}  # fmt: skip

GROUPS = {
    "builder": "Manage builds",
    "container": "Manage containers",
    "checkpoint": "Manage checkpoints of containers",
    "image": "Manage images",
    "network": "Manage networks",
    "volume": "Manage volumes",
    "plugin": "Manage plugins",
    "system": "Manage the engine",
    "context": "Manage names for engines",
    "compose": "Run applications of several containers, as Compose files describe them",
    "compose alpha": "Experimental commands",
    "compose bridge": "Convert a project's files into another model",
    "compose bridge transformations": "Manage the images that convert",
}


def top_groups() -> dict[str, str]:
    """Return name → one line of the groups that are in no other."""
    return {name: line for name, line in GROUPS.items() if " " not in name}


def split(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the path that a command line begins with (groups, then a name), and what follows it. Pure."""
    path, rest = words[0], list(words[1:])
    while path in GROUPS and rest and not rest[0].startswith("-"):
        path = f"{path} {rest.pop(0)}"
    return path, rest


def locate(path: str) -> tuple[str, str] | None:
    """Return (module, canonical path) of a command by any of its names, or None."""
    canonical = ALIASES.get(path, path)
    for module, commands in _MODULES.items():
        if canonical in commands:
            return module, canonical
    return None


def names_of(canonical: str) -> list[str]:
    """Return all the paths of a command, those in groups first."""
    found = [canonical, *(alias for alias, target in ALIASES.items() if target == canonical)]
    return sorted(found, key=lambda name: (" " not in name, name.count(" "), found.index(name)))


def load(path: str) -> Command | None:
    """Return a command by any of its names, importing its module; None when there is none."""
    found = locate(path)
    if found is None:
        return None
    module, canonical = found
    commands: tuple[Command, ...] = __import__(f"wharf.cli.{module}", fromlist=["COMMANDS"]).COMMANDS
    return next(command for command in commands if command.path == canonical)


def summaries(group: str = "") -> dict[str, str]:
    """Return name → one line of the commands of a group, with aliases and groups; of the top level for none."""
    canonical = {path: line for commands in _MODULES.values() for path, line in commands.items()}
    if not group:
        return {path: line for path, line in canonical.items() if " " not in path and not path.startswith("_")}
    named = {path: canonical[target] for path, target in {**{path: path for path in canonical}, **ALIASES}.items()}
    return {
        path.removeprefix(f"{group} "): line
        for path, line in sorted({**named, **GROUPS}.items())
        if path.rpartition(" ")[0] == group
    }
