"""Re-drive: the tape through today's code, under the recorded clock, compared with what was recorded (feature 11.4).

    tape ──inputs──▶ Runner.step ──▶ events, instructions
                                          ⇅ compared, step by step
    log ──events of each input───▶   as recorded ◀──what was told── tape

Every step is judged by itself: where today's code decides otherwise, both sides are listed and the state goes on as it
was recorded, so that one difference is told once and not by all that follows from it. Pure but for today's code itself:
no clock, no database, no switch.
"""

from orchestrator.redrive.compared import Difference, Report
from orchestrator.redrive.drive import WARM, redrive
from orchestrator.redrive.steps import order_of

__all__ = ["WARM", "Difference", "Report", "order_of", "redrive"]
