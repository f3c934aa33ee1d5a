"""The deck's main screen: repositories, versions, details."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.timer import Timer

from rolldeck.actions import VersionRow, Workspace
from rolldeck.commands import Scope
from rolldeck.errors import RolldeckError
from rolldeck.oci import Reference
from rolldeck.tui import reads
from rolldeck.tui.errands import Errands, failed, spoken
from rolldeck.tui.keymap import bindings
from rolldeck.tui.messages import (
    ChangesSummed,
    JobFinished,
    PlanMade,
    RepositoriesListed,
    TargetsRead,
    VersionRead,
    VersionsCompared,
    VersionsListed,
)
from rolldeck.tui.models.deck_state import DeckState, is_near, is_place, repository_of
from rolldeck.tui.models.repository_rows import merged, with_repository
from rolldeck.tui.screens.browser_commands import BrowserCommands
from rolldeck.tui.screens.browser_view import BrowserView
from rolldeck.tui.widgets.breadcrumb import Breadcrumb
from rolldeck.tui.widgets.details import Details
from rolldeck.tui.widgets.filter_bar import FilterBar
from rolldeck.tui.widgets.job_bar import JobBar
from rolldeck.tui.widgets.key_footer import KeyFooter
from rolldeck.tui.widgets.repository_list import RepositoryPane
from rolldeck.tui.widgets.virtual_table import VirtualTable
