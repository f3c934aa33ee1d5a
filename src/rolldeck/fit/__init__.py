"""Whether a version fits an interpreter and a host: a pure judgement over what was read of both."""

from rolldeck.fit.host import Gpu, Host, Interpreter
from rolldeck.fit.judge import judge
from rolldeck.fit.model import Finding, Fit, Severity

__all__ = ["Finding", "Fit", "Gpu", "Host", "Interpreter", "Severity", "judge"]
