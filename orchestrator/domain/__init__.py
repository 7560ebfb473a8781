"""The rules of a contact centre as pure functions over frozen data. One area, one folder."""
