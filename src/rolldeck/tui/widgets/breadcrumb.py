"""The top line: where one is, and how fresh what is shown is."""

from __future__ import annotations

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from rolldeck.text import clean_line
from rolldeck.tui.models.lines import cut


class Breadcrumb(Widget):
    """Shows ``rolldeck  place › repository › version`` and a state at the right."""

    DEFAULT_CSS = """
    Breadcrumb {
        height: 1;
    }
    """

    path: reactive[tuple[str, ...]] = reactive(())
    """The parts of the way here, outermost first."""
    state: reactive[str] = reactive("")
    """How fresh what is shown is: ``as of 14:02``."""
    state_class: reactive[str] = reactive("dim")
    """How the state looks: ``good``, ``bad`` or ``dim``."""

    def render(self) -> RenderResult:
        """Return the line; parts at the left are cut before those at the right."""
        width = self.size.width
        state = cut(clean_line(self.state, 60), max(width * 2 // 3, 10))
        name = " rolldeck " if width >= 60 else ""
        room = width - len(name) - len(state) - 4
        parts = self._fitting(room)
        content = Content.assemble((name, "$block-cursor-foreground on $primary bold"), " ")
        for index, part in enumerate(parts):
            if index:
                content = content + Content.styled(" › ", "$text-muted")
            last = index >= len(parts) - 2 and len(parts) > 1
            content = content + Content.styled(part, "bold" if last else "$text-muted")
        gap = max(width - content.cell_length - len(state) - 1, 1)
        looks = {"good": "$text-success", "bad": "$text-error"}
        return (
            content + " " * gap + Content.styled(state, looks.get(self.state_class, "$text-muted"))
        )

    def _fitting(self, room: int) -> list[str]:
        parts = [clean_line(part, 200) for part in self.path]
        while len(parts) > 1 and len(" › ".join(parts)) > room:
            parts.pop(0)
        if parts and len(parts[-1]) > room:
            parts[-1] = cut(parts[-1], max(room, 4))
        return parts
