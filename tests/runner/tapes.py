"""What a switch says of the recordings of one caller, and what the log knows of them."""

from orchestrator.domain.contacts.contacts import Contact
from orchestrator.domain.switch import facts
from orchestrator.domain.switch.instructions import StartRecording
from tests.runner.scene import NODE, Scene


class Tapes(Scene):
    """Beside another scene, whose caller this is."""

    caller: str

    @property
    def it(self) -> Contact:
        """The contact, which must be there."""
        return self.live(self.caller)

    def begun(self, file: str = "") -> None:
        """The switch says that it writes this file, or what it was told last to record."""
        for name in [file] if file else [told.file for told in self.instructions(StartRecording)[-1:]]:
            self.give(facts.RecordingStarted(node=NODE, leg=self.caller, path=f"/recordings/{name}"))

    def finished(self, file: str) -> None:
        """The switch says that the file is complete."""
        path = f"/recordings/{file}"
        self.give(
            facts.RecordingStopped(node=NODE, leg=self.caller, path=path, length_ms=4_000, cause="success-silence")
        )

    def mask_set(self, file: str, *, on: bool) -> None:
        """The switch writes silence, or sound again."""
        self.give(facts.MaskSet(node=NODE, leg=self.caller, file=file, on=on))

    @property
    def file(self) -> str:
        """What the log says is recorded."""
        recording = self.it.recording
        return recording.file if recording is not None else ""

    @property
    def segment(self) -> str:
        """The talk that goes on."""
        segment = self.it.segment
        return segment.segment_id if segment is not None else ""
