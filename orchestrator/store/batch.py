"""A batch: what goes to the log in one transaction, with the keys and look-up rows that belong to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

from orchestrator.domain.kernel import Record
from orchestrator.domain.personal import PersonalText
from orchestrator.store.errors import VersionConflict
from orchestrator.store.mapper import Draft, LedgerMapper
from orchestrator.vault import DataKey, Vault, WrappedKey, seal_text


@dataclass(slots=True)
class Batch:
    """Rows ready to be sent. `opened` are the data keys that were made for it, to be kept once it is stored."""

    records: Sequence[Record]
    topics: Sequence[str]
    states: Sequence[bytes]
    new_keys: dict[str, WrappedKey] = field(default_factory=dict)
    hung_keys: dict[str, WrappedKey] = field(default_factory=dict)
    index: list[tuple[str, bytes, str]] = field(default_factory=list)
    opened: dict[str, DataKey | None] = field(default_factory=dict)


class Sealer:
    """Makes a batch of drafts: finds or makes the key of each subject, seals, hashes, hangs keys under others."""

    def __init__(self, mapper: LedgerMapper, vault: Vault) -> None:
        self._mapper = mapper
        self._vault = vault

    def prepare(
        self, drafts: Sequence[Draft], *, doubt_new: bool = False, parents: Mapping[str, str] = MappingProxyType({})
    ) -> Batch:
        """The batch of these drafts.

        Streams whose first event is among the drafts are taken to have no key yet, which saves a query on each new
        contact; `doubt_new` looks for theirs too, after the database has said that there was one. `parents`: subjects
        whose keys are to hang under another's, besides what the events say. Raises what the vault's shelf raises when
        the database is away.
        """
        batch = Batch(
            records=[draft.record for draft in drafts],
            topics=[draft.topic for draft in drafts],
            states=[],
        )
        subjects = self._subjects(drafts, doubt_new=doubt_new).union(parents, parents.values())
        keys = self._vault.keys(subjects) if subjects else {}
        for subject, above in parents.items():
            self._hang(subject, above, keys, batch)
        states: list[bytes] = []
        for draft in drafts:
            if draft.entry.adopts_key_of is not None:
                parent = draft.entry.adopts_key_of(draft.record.event)
                if parent is not None:
                    self._hang(draft.record.stream, parent, keys, batch)
            if draft.texts:
                key = self._key(draft.record.stream, keys, batch)
                states.append(self._mapper.finish(draft, partial(self._seal, draft.record.stream, key, batch)))
            else:
                states.append(draft.state)
        batch.states = states
        return batch

    def stored(self, batch: Batch) -> None:
        """The batch is in the log: its new keys may be used from memory."""
        if batch.opened:
            self._vault.keep(batch.opened)

    def _subjects(self, drafts: Sequence[Draft], *, doubt_new: bool) -> set[str]:
        first = set() if doubt_new else {draft.record.stream for draft in drafts if draft.record.version == 1}
        wanted: set[str] = set()
        for draft in drafts:
            if draft.texts and draft.record.stream not in first:
                wanted.add(draft.record.stream)
            if draft.entry.adopts_key_of is not None:
                parent = draft.entry.adopts_key_of(draft.record.event)
                if parent is not None:
                    wanted.add(parent)
                    if draft.record.stream not in first:
                        wanted.add(draft.record.stream)
        return wanted

    def _key(self, subject: str, keys: dict[str, DataKey | None], batch: Batch) -> DataKey | None:
        """The subject's key, made where there is none; None where it was destroyed."""
        if subject not in keys:
            key = DataKey.fresh()
            keys[subject] = batch.opened[subject] = key
            batch.new_keys[subject] = WrappedKey(subject, None, self._vault.wrap(subject, key))
        return keys[subject]

    def _hang(self, subject: str, parent: str, keys: dict[str, DataKey | None], batch: Batch) -> None:
        """Wrap the subject's key under the parent's; under a destroyed one it is destroyed with it."""
        if subject == parent:
            raise ValueError(f"The key of {subject} cannot hang under itself.")
        above = self._key(parent, keys, batch)
        key = self._key(subject, keys, batch)
        if key is None:
            return
        if above is None:
            keys[subject] = batch.opened[subject] = None
            row = WrappedKey(subject, parent, None)
        else:
            row = WrappedKey(subject, parent, self._vault.wrap(subject, key, above))
        (batch.new_keys if subject in batch.new_keys else batch.hung_keys)[subject] = row

    def _seal(self, stream: str, key: DataKey | None, batch: Batch, text: PersonalText) -> str:
        if key is None:
            return ""
        if text.index:
            batch.index.append((text.index, self._vault.token(text.index, text.text), stream))
        return seal_text(key, stream, text.path, text.text)


def first_versions(records: Sequence[Record]) -> list[tuple[str, int]]:
    """Each stream with the version it must be at before these records.

    Raises `VersionConflict` where the records of one stream do not follow each other.
    """
    if len(records) == 1 and records[0].version > 0:  # by far the most frequent case
        return [(records[0].stream, records[0].version - 1)]
    last: dict[str, int] = {}
    before: list[tuple[str, int]] = []
    for record in records:
        if record.stream not in last:
            if record.version < 1:
                raise VersionConflict(f"{record.stream} begins at version 1.", streams=(record.stream,))
            before.append((record.stream, record.version - 1))
        elif record.version != last[record.stream] + 1:
            raise VersionConflict(
                f"{record.stream} goes from version {last[record.stream]} to {record.version}.",
                streams=(record.stream,),
            )
        last[record.stream] = record.version
    return before
