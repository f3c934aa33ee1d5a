"""One operation, tried again and again from the same beginning, with another fault each time."""

from __future__ import annotations

import json
import shutil
from typing import Any

from tests.faults.forked import Ran
from tests.faults.operations import Operation, World
from tests.faults.seam import Call, Plan


class Trial:
    """One operation, tried again and again from the same beginning."""

    def __init__(self, operation: Operation, world: World) -> None:
        self._operation = operation
        self._world = world
        self.half_made = operation.half_made
        self.root = world.root
        self._template = world.root.with_name("template")
        shutil.rmtree(self._template, ignore_errors=True)
        operation.prepare(world)
        world.root.rename(self._template)
        self.begin()
        self.old = operation.state(world)
        self.calls = self.logged()
        self.count = sum(call.below_root for call in self.calls)
        self.new = operation.state(world)
        assert self.new != self.old
        assert self.problems() == []

    def begin(self) -> None:
        """Put the world back to where the operation begins."""
        shutil.rmtree(self._world.root, ignore_errors=True)
        shutil.copytree(self._template, self._world.root, symlinks=True)

    def logged(self) -> list[Call]:
        """Run the operation to its end; returns its calls."""
        log = self.root.with_name("calls.json")
        ran = self._operation.run(self._world, Plan(str(self.root), log=str(log)))
        assert ran.code == 0, ran
        return [Call(**entry) for entry in json.loads(log.read_bytes())]

    def run(self, **fault: Any) -> Ran:
        """Run the operation from its beginning, with a fault."""
        self.begin()
        return self._operation.run(self._world, Plan(str(self.root), **fault))

    def go_on(self, kill_after: float | None = None) -> Ran:
        """Run the operation in what is there, without a fault, or killed after so many seconds."""
        return self._world.run(*self._operation.words(self._world), kill_after=kill_after)

    @property
    def is_new(self) -> bool:
        """Whether the operation took effect."""
        return self._operation.state(self._world) == self.new

    def problems(self, half_made: int = 0, *, must_be_new: bool = False) -> list[str]:
        """What is not as it may be after a fault that may leave so many half-made things."""
        found = self._world.problems()
        state = self._operation.state(self._world)
        if state not in ([self.new] if must_be_new else [self.old, self.new]):
            found.append(f"not {'new' if must_be_new else 'old or new'}: {state}")
        temporaries = self._world.temporaries()
        return found if len(temporaries) <= half_made else [*found, f"left: {temporaries}"]

    def again(self) -> list[str]:
        """Run the same command once more, without a fault; what is not as it should be then."""
        operation, world = self._operation, self._world
        if operation.after and operation.state(world) == self.new:
            ran = world.run(*operation.after(world))
        else:
            ran = operation.run(world)
            if ran.code == 0 and operation.state(world) != self.new:
                return ["again: not the new state"]
        if ran.code != 0:
            return [f"again: {ran}"]
        left = [f"left: {path}" for path in world.temporaries()]
        return [f"again: {problem}" for problem in [*world.problems(), *left]]

    def report(self, wrong: dict[int, list[str]]) -> str:
        """Say at which calls what went wrong."""
        below = [call for call in self.calls if call.below_root]
        lines = [f"{len(wrong)} of {self.count} calls"]
        for number, found in wrong.items():
            call = below[min(max(number, 1), len(below)) - 1]
            lines.append(f"{number} ({call.name} {call.path} in {call.source}): {'; '.join(found)}")
        return "\n".join(lines).replace(f"{self.root}/", "")
