"""After a move of a channel: the local targets of this host that follow it go there at once.

Elsewhere followers do that. Here nobody should wait for the next round of one, nor find that none
runs. Nothing is fetched: what is not unpacked is left to a follower.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from rolldeck.actions.follower import Follower, FollowEvent
from rolldeck.actions.move import held
from rolldeck.actions.targets import followers_of
from rolldeck.actions.workspace import Workspace
from rolldeck.errors import BusyError, CancelledError, RolldeckError
from rolldeck.oci import Reference
from rolldeck.progress import Progress
from rolldeck.release import Target
from rolldeck.release.following import followed_alone


async def bring_along(
    workspace: Workspace, channel: Reference, progress: Progress
) -> AsyncIterator[FollowEvent]:
    """Bring each target of this host that follows a channel to where that is, without fetching.

    Yields what became of each. No error of a target is raised: the channel has moved.
    """
    for path in await followers_of(channel):
        follower = Follower(workspace, path, progress)
        try:
            async with held(followed_alone(Target(path))):
                event = await follower.switch()
        except BusyError:
            event = follower.waiting("the process that follows it goes there in its next round")
        except CancelledError:
            raise
        except RolldeckError as error:
            event = follower.failed(error)
        yield event
